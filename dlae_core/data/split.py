"""Which samples are trained on and which are kept for validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dlae_core.data.randomness import Purpose, generator
from dlae_core.errors import UnusableDataset


@dataclass(frozen=True)
class Split:
    """Names of the training and of the validation samples."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


def split_names(names: Sequence[str], fraction: float, shuffle: bool, seed: int) -> Split:
    """Keeps the first `ceil(N * fraction)` samples for validation, after a seeded shuffle.

    Differs: DLAE 1.0 shuffled without a seed and counted in floating point (D6, D16).

    Raises:
        UnusableDataset: No sample is left to train on.
    """
    order = list(names)
    if shuffle:
        generator(seed, Purpose.SPLIT).shuffle(order)
    # Exact arithmetic on the decimal number that the user wrote: 0.07 of 100 is 7, not 8.
    share = Fraction(repr(fraction)) * len(order)
    count = -(-share.numerator // share.denominator)
    if count >= len(order):
        raise UnusableDataset(
            [
                f"expected more than {count} samples for a validation_split of {fraction:g}, got "
                f"{len(order)}; none is left to train on"
            ]
        )
    return Split(tuple(order[count:]), tuple(order[:count]))
