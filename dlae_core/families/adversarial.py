"""What both kinds of GAN have in common."""

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import DISCRIMINATOR, GENERATOR
from dlae_core.data.inspection import Expectation
from dlae_core.data.targets import TargetKind
from dlae_core.errors import Violation
from dlae_core.families.base import Family
from dlae_core.graph import Network


class Adversarial(Family):
    """Networks that make images, and networks that judge them. The first makes y of X."""

    entry = GENERATOR
    per_pixel = True

    def target_kind(self, config: Config) -> TargetKind:
        """Returns that images are compared."""
        return "values"

    def classes(self, config: Config, network: Network) -> int:
        """Returns 0: images have no classes."""
        return 0

    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns that each annotation is an image as the generator makes it."""
        return Expectation(self.image_shape(config), network.output_shape, 0)


def shape_violation(generator: Network, target: tuple[int, ...], whose: str) -> list[Violation]:
    """Returns a violation where the generator makes images of another shape than the target's."""
    if generator.output_shape == target:
        return []
    message = (
        f"expected a generator whose output has the shape {target} of {whose}, got "
        f"{generator.output_shape}"
    )
    return [Violation(f"layers.{GENERATOR}", "OUTPUT_SHAPE", message)]


def patch_violations(discriminator: Network) -> list[Violation]:
    """Returns a violation where the discriminator's output is not one number per patch or image."""
    if discriminator.output_shape[-1] == 1:
        return []
    message = (
        "expected a discriminator that ends in one channel, true or made, got the output shape "
        f"{discriminator.output_shape}"
    )
    return [Violation(f"layers.{DISCRIMINATOR}", "OUTPUT_SHAPE", message)]
