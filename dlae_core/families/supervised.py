"""Families of one network whose output is compared with an annotation."""

from abc import abstractmethod
from collections.abc import Sequence

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import SERIAL
from dlae_core.data.targets import TargetKind
from dlae_core.errors import Violation
from dlae_core.families.base import Family
from dlae_core.graph import Network, build_network
from dlae_core.losses import loss_row

LAYER_LIST = f"layers.{SERIAL}"


class Supervised(Family):
    """One network, named `model`: what its target looks like, and what output it must have."""

    entry = SERIAL

    def networks(self, config: Config) -> tuple[Network, ...]:
        """Builds the network.

        Raises:
            InvalidConfig: A layer does not fit.
        """
        return (build_network(*self._layers(config, SERIAL)),)

    def target_kind(self, config: Config) -> TargetKind:
        """Returns what the loss compares the output with: `one_hot`, `sparse` or `values`."""
        return loss_row(config).target_kind

    def weighted(self, config: Config) -> bool:
        """Returns whether the loss weights classes."""
        return loss_row(config).weighted

    def classes(self, config: Config, network: Network) -> int:
        """Returns the number of classes; 0 for regression."""
        return 0 if self.target_kind(config) == "values" else network.output_shape[-1]

    def violations(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns where the built network and the rest of the configuration disagree."""
        (network,) = networks
        found = [*self._repeat_violations(config), *self._class_violations(config, network)]
        output = network.output_shape
        if not self.fits(self.image_shape(config), output):
            found.append(Violation(LAYER_LIST, "OUTPUT_SHAPE", self._shape_message(config, output)))
        return found

    @abstractmethod
    def fits(self, image_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
        """Returns whether a network with this output is of the family."""

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
