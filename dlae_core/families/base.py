"""The contract of a model family."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_lists import layer_list
from dlae_core.data.inspection import Expectation
from dlae_core.data.targets import TargetKind
from dlae_core.errors import Violation
from dlae_core.graph import Network
from dlae_core.optimization import Adversary


class Family(ABC):
    """What a model family decides: which networks there are, and what fits together.

    The first network is the one that predicts.

    Attributes:
        name: As in `config_file.model_signal`; for a GAN, as in `loss_function.loss`.
        entry: Layer list whose `Input` takes the images.
        per_pixel: Whether annotations have the space of the images.
        adversaries: Which side of a GAN each optimizer is of; empty for one network.
    """

    name: ClassVar[str]
    entry: ClassVar[str]
    per_pixel: ClassVar[bool]
    adversaries: ClassVar[tuple[Adversary, ...]] = ()

    @abstractmethod
    def networks(self, config: Config) -> tuple[Network, ...]:
        """Builds all networks of a resolved and checked configuration, each of a name of its own.

        Raises:
            InvalidConfig: A layer does not fit.
        """

    @abstractmethod
    def target_kind(self, config: Config) -> TargetKind:
        """Returns what the loss compares the output with."""

    def weighted(self, config: Config) -> bool:
        """Returns whether the loss weights classes."""
        return False

    @abstractmethod
    def classes(self, config: Config, network: Network) -> int:
        """Returns the number of classes, of a detector the kinds of object; 0 where there are none.

        Args:
            config: Resolved and checked.
            network: The one that predicts.
        """

    @abstractmethod
    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns what the data files must hold.

        Args:
            config: Resolved and checked.
            network: The one that predicts.
        """

    def violations(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns where the built networks and the rest of the configuration disagree."""
        return self._repeat_violations(config)

    def warnings(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns what is probably not meant, as far as only the built networks show it."""
        return []

    def image_shape(self, config: Config) -> tuple[int, ...]:
        """Returns the shape of one image as it is stored, before channels are repeated."""
        shape = layer_list(config, self.entry).input_shape
        if not config.preprocessing.repeat_x_switch:
            return shape
        return (*shape[:-1], shape[-1] // config.preprocessing.repeat_x_quantity)

    def _layers(self, config: Config, key: str) -> tuple[Sequence[Layer], str]:
        """Returns a layer list and its place."""
        layers = layer_list(config, key)
        return layers.layers, layers.path

    def _repeat_violations(self, config: Config) -> list[Violation]:
        quantity = config.preprocessing.repeat_x_quantity
        layers = layer_list(config, self.entry)
        channels = layers.input_shape[-1]
        if not config.preprocessing.repeat_x_switch or channels % quantity == 0:
            return []
        message = (
            f"expected an Input whose channels are a multiple of repeat_X_quantity ({quantity}), "
            f"got {channels} channels"
        )
        return [Violation(f"{layers.place(0)}.shape", "CHANNEL_MISMATCH", message)]
