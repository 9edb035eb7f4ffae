"""Which samples are trained on and which are kept for validation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dlae_core.data.randomness import Purpose, generator
from dlae_core.errors import UnusableDataset

# Samples that stay together.
Unit = list[str]


@dataclass(frozen=True)
class Split:
    """Names of the training and of the validation samples.

    Attributes:
        training: Names in the training files.
        validation: Names in the training files, or in the validation files where there are some.
        validation_role: Images that the validation names are of: `train_X` or `validation_X`.
        others: Names of the annotations to train on and to validate with, where they are not those
            of the images.
    """

    training: tuple[str, ...]
    validation: tuple[str, ...]
    validation_role: str = "train_X"
    others: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def to_json(self) -> str:
        """Returns the split as text: names by use and file, in the order of their numbers."""
        uses = {
            "training": {"train_X": sorted(self.training, key=int)},
            "validation": {self.validation_role: sorted(self.validation, key=int)},
        }
        if self.others:
            roles = "train_y", self.validation_role.replace("_X", "_y")
            for use, role, names in zip(uses.values(), roles, self.others, strict=True):
                use[role] = sorted(names, key=int)
        return json.dumps(uses) + "\n"


@dataclass(frozen=True)
class Holdout:
    """What is kept for validation.

    Attributes:
        fraction: Part of the samples; 0 where there are folds.
        folds: Number of parts of nearly equal size, of which one is kept; 0: none.
        fold: Which of them, from 0.
    """

    fraction: float = 0.0
    folds: int = 0
    fold: int = 0


def split_names(
    names: Sequence[str],
    holdout: Holdout,
    shuffle: bool,
    seed: int,
    groups: Mapping[str, str] | None = None,
) -> Split:
    """Splits samples, after a seeded shuffle if there is one.

    Of a fraction, exactly the first `ceil(N * fraction)` samples are kept for validation. With
    groups, whole groups are, in their order, as long as that comes nearer to this number, and at
    least one. With folds, samples or groups go one by one, the largest groups first, to the fold
    that is smallest by then.

    Differs: DLAE 1.0 shuffled without a seed and counted in floating point (D6, D16).

    Args:
        names: All samples.
        holdout: What is kept.
        shuffle: Whether the samples are shuffled before.
        seed: Decides the shuffle.
        groups: Per name the group that must stay on one side; None: samples stand alone.

    Raises:
        UnusableDataset: Nothing is left to train on, or there are too few samples or groups.
    """
    order = list(names)
    if shuffle:
        generator(seed, Purpose.SPLIT).shuffle(order)
    units = _units(order, groups)
    noun = "groups" if groups is not None else "samples"
    if holdout.folds:
        kept = _fold(units, holdout, noun)
    elif holdout.fraction and groups is not None:
        kept = _nearest_groups(units, _share(len(order), holdout.fraction))
    else:
        kept = _first_samples(order, holdout.fraction)
    return Split(
        tuple(name for name in order if name not in kept),
        tuple(name for name in order if name in kept),
    )


def check_apart(training: Mapping[str, str], validation: Mapping[str, str], file: str) -> None:
    """Checks that no group of the training files is in the validation files.

    Args:
        training: Group per name of the training files.
        validation: Group per name of the validation files.
        file: Name of the file with the validation images.

    Raises:
        UnusableDataset: A group is in both.
    """
    trained = set(training.values())
    # Groups may be patients and are not named; samples are.
    both = sorted((name for name, group in validation.items() if group in trained), key=int)
    if both:
        names = ", ".join(both[:20]) + (", ..." if len(both) > 20 else "")
        raise UnusableDataset(
            [
                f"{file}: expected groups that are not trained on, found {len(both)} samples of "
                f"groups that are ({names})"
            ]
        )


def _units(order: Sequence[str], groups: Mapping[str, str] | None) -> list[Unit]:
    """Returns the samples of each group, groups and samples in the given order."""
    if groups is None:
        return [[name] for name in order]
    units: dict[str, Unit] = {}
    for name in order:
        units.setdefault(groups[name], []).append(name)
    return list(units.values())


def _share(count: int, fraction: float) -> int:
    # Exact arithmetic on the decimal number that the user wrote: 0.07 of 100 is 7, not 8.
    share = Fraction(repr(fraction)) * count
    return -(-share.numerator // share.denominator)


def _first_samples(order: Sequence[str], fraction: float) -> set[str]:
    count = _share(len(order), fraction)
    if count >= len(order):
        raise UnusableDataset(
            [
                f"expected more than {count} samples for a validation_split of {fraction:g}, got "
                f"{len(order)}; none is left to train on"
            ]
        )
    return set(order[:count])


def _nearest_groups(units: Sequence[Unit], target: int) -> set[str]:
    if len(units) < 2:
        raise UnusableDataset(
            [f"expected at least 2 groups, one to train on and one to validate, got {len(units)}"]
        )
    kept: list[Unit] = []
    count = 0
    for unit in units:
        if len(kept) < len(units) - 1 and abs(count + len(unit) - target) < abs(count - target):
            kept.append(unit)
            count += len(unit)
    # All groups may be larger than what is wanted.
    return _samples(kept or [min(units, key=len)])


def _fold(units: Sequence[Unit], holdout: Holdout, noun: str) -> set[str]:
    if len(units) < holdout.folds:
        raise UnusableDataset(
            [f"expected at least {holdout.folds} {noun}, one per fold, got {len(units)}"]
        )
    folds: list[list[Unit]] = [[] for _ in range(holdout.folds)]
    sizes = [0] * holdout.folds
    for unit in sorted(units, key=len, reverse=True):
        smallest = sizes.index(min(sizes))
        folds[smallest].append(unit)
        sizes[smallest] += len(unit)
    return _samples(folds[holdout.fold])


def _samples(units: Iterable[Unit]) -> set[str]:
    return {name for unit in units for name in unit}
