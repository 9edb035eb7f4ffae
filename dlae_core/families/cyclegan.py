"""cycleGAN: two generators that undo each other, each with a discriminator.

Reference: Zhu et al., Unpaired image-to-image translation using cycle-consistent adversarial
networks, 2017.
"""

from collections.abc import Sequence

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import DISCRIMINATOR, GENERATOR
from dlae_core.errors import Violation
from dlae_core.families.adversarial import Adversarial, patch_violations, shape_violation
from dlae_core.graph import Network, build_network


class CycleGan(Adversarial):
    """Four networks of two lists, with weights of their own.

    `generator1` makes y of X, `generator2` X of y; `discriminator1` judges X, `discriminator2` y.
    X, y and both networks have one shape.
    """

    name = "cyclegan"
    adversaries = ("gan", "discriminator", "discriminator")

    def networks(self, config: Config) -> tuple[Network, ...]:
        """Builds both generators, then both discriminators.

        Raises:
            InvalidConfig: A layer does not fit.
        """
        lists = ((GENERATOR, "generator"), (DISCRIMINATOR, "discriminator"))
        return tuple(
            build_network(*self._layers(config, key), f"{name}{number}")
            for key, name in lists
            for number in (1, 2)
        )

    def violations(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns where generators, discriminators and the rest of the configuration disagree."""
        generator, _, discriminator, _ = networks
        return [
            *self._repeat_violations(config),
            *shape_violation(generator, generator.model.input_shape[1:], "its own Input"),
            *patch_violations(discriminator),
        ]


def combined(models: Sequence[keras.Model]) -> keras.Model:
    """Returns the model that trains both generators.

    Inputs are X and y. Outputs: what the discriminators say of X made of y and of y made of X; X
    and y made and undone; X given to the generator of X, y to that of y.

    Args:
        models: Of the networks, in their order.
    """
    to_y, to_x, judge_x, judge_y = models
    x = keras.Input(to_y.input_shape[1:], name="X")
    y = keras.Input(judge_x.input_shape[1:], name="y")
    made_y, made_x = to_y(x), to_x(y)
    outputs = [
        judge_x(made_x),
        judge_y(made_y),
        to_x(made_y),
        to_y(made_x),
        to_x(x),
        to_y(y),
    ]
    return keras.Model([x, y], outputs, name="gan")
