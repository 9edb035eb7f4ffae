"""Fully convolutional networks: one class or one vector per pixel."""

from dlae.v1.config_pb2 import Config
from dlae_core.data.inspection import Expectation
from dlae_core.families.supervised import Supervised
from dlae_core.graph import Network


class Fcn(Supervised):
    """Classification (segmentation) and regression of every pixel or voxel."""

    name = "FCN"
    per_pixel = True

    def fits(self, image_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
        """Returns whether the output has the space of the input."""
        return output_shape[:-1] == image_shape[:-1]

    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns that each annotation has the space of its image."""
        classes = self.classes(config, network)
        space = self.image_shape(config)[:-1]
        return Expectation(
            image_shape=self.image_shape(config),
            target_shape=space if classes else network.output_shape,
            classes=classes,
        )

    def _shape_message(self, config: Config, output: tuple[int, ...]) -> str:
        space = self.image_shape(config)[:-1]
        return (
            f"expected a network whose output has the {space} pixels of its input, got the output "
            f"shape {output}; every pooling needs an upsampling of the same size"
        )
