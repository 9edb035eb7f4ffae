"""pix2pix: a generator that translates images, and a discriminator that sees source and target.

Reference: Isola et al., Image-to-image translation with conditional adversarial networks, 2017.
"""

from collections.abc import Sequence

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import DISCRIMINATOR, GENERATOR, layer_list
from dlae_core.errors import Violation
from dlae_core.families.adversarial import Adversarial, patch_violations, shape_violation
from dlae_core.graph import Network, build_network


class Pix2Pix(Adversarial):
    """Two networks: `generator` makes the target of a source, `discriminator` tells made from true.

    The discriminator's inputs are target and source, concatenated in this order.

    Differs: a backbone or a hook in the discriminator fails in DLAE 1.0 (G4, G7).
    """

    name = "pix2pix"
    adversaries = ("gan", "discriminator")

    def networks(self, config: Config) -> tuple[Network, ...]:
        """Builds generator and discriminator.

        Raises:
            InvalidConfig: A layer does not fit.
        """
        source = layer_list(config, GENERATOR).input_shape
        return (
            build_network(*self._layers(config, GENERATOR), "generator"),
            build_network(
                *self._layers(config, DISCRIMINATOR), "discriminator", [("source", source)]
            ),
        )

    def violations(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns where generator, discriminator and the rest of the configuration disagree."""
        generator, discriminator = networks
        target = layer_list(config, DISCRIMINATOR).input_shape
        return [
            *self._repeat_violations(config),
            *shape_violation(generator, target, "the discriminator's Input"),
            *patch_violations(discriminator),
        ]


def combined(generator: keras.Model, discriminator: keras.Model) -> keras.Model:
    """Returns the model that trains the generator.

    Inputs are target and source; outputs what the discriminator says of the generated target, and
    the generated target. The target itself is for the loss only.
    """
    target = keras.Input(discriminator.input_shape[0][1:], name="target")
    source = keras.Input(generator.input_shape[1:], name="source")
    generated = generator(source)
    judged = discriminator([generated, source])
    return keras.Model([target, source], [judged, generated], name="gan")
