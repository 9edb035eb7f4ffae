"""What both kinds of GAN demand of their networks."""

from dlae_core.config.layer_lists import DISCRIMINATOR, GENERATOR
from dlae_core.errors import Violation
from dlae_core.graph import Network


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
