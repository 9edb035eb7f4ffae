"""The contract of a model family."""

from abc import ABC, abstractmethod
from typing import ClassVar

from dlae.v1.config_pb2 import Config
from dlae_core.data.inspection import Expectation
from dlae_core.data.targets import TargetKind
from dlae_core.errors import Violation
from dlae_core.graph import Network, build_network
from dlae_core.losses import loss_row

LAYER_LIST = "layers.serial_layer_list"


class Family(ABC):
    """What a model family decides: the graph, what a target looks like, what fits together.

    Attributes:
        name: As in `config_file.model_signal`.
        per_pixel: Whether targets have the space of the images.
    """

    name: ClassVar[str]
    per_pixel: ClassVar[bool]

    def network(self, config: Config) -> Network:
        """Builds the network.

        Raises:
            InvalidConfig: A layer does not fit.
        """
        return build_network(config.layers.serial_layer_list, LAYER_LIST)

    def target_kind(self, config: Config) -> TargetKind:
        """Returns what the loss compares the output with: `one_hot`, `sparse` or `values`."""
        return loss_row(config).target_kind

    def classes(self, config: Config, network: Network) -> int:
        """Returns the number of classes; 0 for regression."""
        return 0 if self.target_kind(config) == "values" else network.output_shape[-1]

    def image_shape(self, config: Config) -> tuple[int, ...]:
        """Returns the shape of one image as it is stored, before channels are repeated."""
        shape = tuple(config.layers.serial_layer_list[0].input.shape)
        if not config.preprocessing.repeat_x_switch:
            return shape
        return (*shape[:-1], shape[-1] // config.preprocessing.repeat_x_quantity)

    def violations(self, config: Config, network: Network) -> list[Violation]:
        """Returns where the built network and the rest of the configuration disagree."""
        found = [*self._repeat_violations(config), *self._class_violations(config, network)]
        output = network.output_shape
        if not self.fits(self.image_shape(config), output):
            found.append(Violation(LAYER_LIST, "OUTPUT_SHAPE", self._shape_message(config, output)))
        return found

    @abstractmethod
    def fits(self, image_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
        """Returns whether a network with this output is of the family."""

    @abstractmethod
    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns what the data files must hold."""

    @abstractmethod
    def _shape_message(self, config: Config, output: tuple[int, ...]) -> str: ...

    def _class_violations(self, config: Config, network: Network) -> list[Violation]:
        expected, output = config.preprocessing.categories, network.output_shape[-1]
        if self.target_kind(config) != "one_hot" or output == expected:
            return []
        message = (
            f"expected {expected} output channels, one per class "
            f"(preprocessing.categories is {expected}), got {output}"
        )
        return [Violation(LAYER_LIST, "CLASS_COUNT_MISMATCH", message)]

    def _repeat_violations(self, config: Config) -> list[Violation]:
        quantity = config.preprocessing.repeat_x_quantity
        channels = config.layers.serial_layer_list[0].input.shape[-1]
        if not config.preprocessing.repeat_x_switch or channels % quantity == 0:
            return []
        message = (
            f"expected an Input whose channels are a multiple of repeat_X_quantity ({quantity}), "
            f"got {channels} channels"
        )
        return [Violation(f"{LAYER_LIST}[0].shape", "CHANNEL_MISMATCH", message)]
