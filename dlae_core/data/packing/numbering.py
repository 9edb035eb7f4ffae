"""Class numbers: those found in label maps and tables to those that a network takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlae_core.data.inspection import is_finite
from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

AUTO = "auto"
_MOST_CLASSES, _LARGEST = 256, (1 << 16) - 1
_NAMED = 6


@dataclass(frozen=True)
class Numbering:
    """Which number in a file is which class; empty: numbers stay as they are."""

    classes: Mapping[int, int]

    @classmethod
    def from_text(cls, text: str) -> "Numbering":
        """Reads `255=1, 128=2`; 0 stays 0 where it is not named.

        Raises:
            UnusableDataset: It is something else.
        """
        try:
            pairs = [part.split("=") for part in text.split(",") if part.strip()]
            classes = {int(found): int(wanted) for found, wanted in pairs}
        except ValueError as error:
            message = f"expected 'auto' or pairs such as '255=1,128=2' to relabel, got '{text}'"
            raise UnusableDataset([message]) from error
        return cls({0: 0, **classes} if classes else {})

    @classmethod
    def of_found(cls, found: Iterable[int]) -> "Numbering":
        """Numbers what was found in its order: the smallest becomes 0."""
        return cls({number: place for place, number in enumerate(sorted(set(found)))})

    def apply(self, labels: Array) -> Array:
        """Returns label maps with their classes numbered, in the smallest type.

        Raises:
            UnusableDataset: They hold a number that is not named, or no class numbers.
        """
        numbers = numbers_in(labels)
        if not self.classes:
            return labels
        unknown = sorted(numbers - self.classes.keys())
        if unknown:
            raise UnusableDataset([f"holds {_told(unknown)}, which the relabelling does not name"])
        smallest = np.min_scalar_type(max(self.classes.values()))
        table = np.zeros(max(numbers, default=0) + 1, smallest)
        for number in numbers:
            table[number] = self.classes[number]
        renumbered: Array = table[labels if labels.dtype.kind in "iu" else labels.astype(np.intp)]
        return renumbered


def numbers_in(labels: Array) -> set[int]:
    """Returns the class numbers of a label map.

    Raises:
        UnusableDataset: It holds something else than class numbers.
    """
    if labels.size == 0:
        return set()
    if not is_finite(labels):
        raise UnusableDataset(["expected class numbers, found NaN or infinity"])
    if labels.dtype.kind == "f" and not (labels == np.rint(labels)).all():
        raise UnusableDataset(["expected class numbers, found fractions"])
    low, high = labels.min(), labels.max()
    if low < 0 or high > _LARGEST:
        wrong = low if low < 0 else high
        raise UnusableDataset([f"expected class numbers from 0 to {_LARGEST}, found {wrong:g}"])
    present = np.zeros(int(high) + 1, np.bool_)
    present[labels if labels.dtype.kind in "iu" else labels.astype(np.intp)] = True
    numbers = np.flatnonzero(present).tolist()
    if len(numbers) > _MOST_CLASSES:
        message = f"expected at most {_MOST_CLASSES} classes, found the numbers {_told(numbers)}"
        raise UnusableDataset([message])
    return set(numbers)


def _told(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:_NAMED]))
    return listed + (f", ... ({len(numbers)} in all)" if len(numbers) > _NAMED else "")
