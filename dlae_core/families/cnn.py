"""Convolutional networks: one class or one vector per image."""

from dlae.v1.config_pb2 import Config
from dlae_core.data.inspection import Expectation
from dlae_core.families.supervised import Supervised
from dlae_core.graph import Network


class Cnn(Supervised):
    """Classification and regression of whole images."""

    name = "CNN"
    per_pixel = False

    def fits(self, image_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
        """Returns whether the output is one vector per image."""
        return len(output_shape) == 1

    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns that each annotation is a class number or a vector of the output's length."""
        classes = self.classes(config, network)
        return Expectation(
            image_shape=self.image_shape(config),
            target_shape=() if classes else network.output_shape,
            classes=classes,
        )

    def _shape_message(self, config: Config, output: tuple[int, ...]) -> str:
        return (
            "expected a network that ends in one vector per image (Flatten or a global pooling, "
            f"then Dense), got the output shape {output}; model_signal FCN is for outputs per pixel"
        )
