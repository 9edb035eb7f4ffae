"""Losses of generative adversarial networks: least squares, cycles and identities.

What a discriminator says of an image is `float32 (batch, *patches, 1)`: 1 for true, 0 for made.

Reference: Mao et al. (2017), Least squares generative adversarial networks.
Differs: the manual of DLAE 1.0 has log-likelihood terms, its program least squares (N9).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from keras import ops

from dlae_core.losses.reduction import full_precision
from dlae_core.losses.regression import mean_absolute_error

TRUE, MADE = 1.0, 0.0


class GeneratorLoss(NamedTuple):
    """The loss of one or two generators and its parts, scalars; the parts are not weighted.

    Attributes:
        total: What is minimized.
        adversarial: Mean over the generators of what the discriminators find.
        reconstruction: Mean L1 distance of what was made to what it must be.
        identity: Mean L1 distance of what a generator makes of its own target; 0 for pix2pix.
    """

    total: Any
    adversarial: Any
    reconstruction: Any
    identity: Any


def least_squares(judged: Any, label: float) -> Any:
    """Returns the mean of `(D - label)^2`, scalar.

    Args:
        judged: float32 (batch, *patches, 1), what the discriminator says.
        label: `TRUE` or `MADE`.
    """
    return ops.mean(ops.square(full_precision(judged) - label))


def pix2pix(judged: Any, made: Any, target: Any, reconstruction: float) -> GeneratorLoss:
    """Returns `(D - 1)^2 + a |G(X) - y|`, means.

    Args:
        judged: float32 (batch, *patches, 1), what the discriminator says of `made`.
        made: float32 (batch, *space, channels), G(X).
        target: float32 (batch, *space, channels), y.
        reconstruction: Weight a.

    Reference: Isola et al. (2017), Image-to-image translation with conditional adversarial
    networks.
    """
    adversarial = least_squares(judged, TRUE)
    distance = mean_absolute_error(target, made)
    total = adversarial + reconstruction * distance
    return GeneratorLoss(total, adversarial, distance, ops.zeros_like(total))


def cyclegan(
    outputs: Sequence[Any], images: tuple[Any, Any], cycle: float, identity: float
) -> GeneratorLoss:
    """Returns the sum over both generators of `(D - 1)^2 + a |cycled - X| + b |same - X|`, means.

    Args:
        outputs: Of the combined model: what the discriminators say of X made of y and of y made of
            X; X and y made and undone; X and y given to the generators of X and of y.
        images: X and y, float32 (batch, *space, channels).
        cycle: Weight a.
        identity: Weight b.

    Reference: Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent
    adversarial networks.
    Differs: DLAE 1.0 reported the identity of X only (N3).
    """
    judged, cycled, same = outputs[:2], outputs[2:4], outputs[4:6]
    adversarial = sum(least_squares(one, TRUE) for one in judged)
    distance = sum(map(mean_absolute_error, images, cycled))
    own = sum(map(mean_absolute_error, images, same))
    total = adversarial + cycle * distance + identity * own
    return GeneratorLoss(total, adversarial / 2, distance / 2, own / 2)
