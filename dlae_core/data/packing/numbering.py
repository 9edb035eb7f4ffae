"""Class numbers: those found in label maps and tables to those that a network takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

AUTO = "auto"
_MOST_CLASSES = 256


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
            UnusableDataset: They hold a number that is not named.
        """
        if not self.classes:
            return labels
        numbers = numbers_in(labels)
        unknown = sorted(numbers - self.classes.keys())
        if unknown:
            raise UnusableDataset([f"holds {_told(unknown)}, which the relabelling does not name"])
        found = np.array(sorted(numbers))
        wanted = np.array([self.classes[number] for number in found.tolist()])
        renumbered: Array = wanted[np.searchsorted(found, labels)]
        return renumbered.astype(np.min_scalar_type(max(self.classes.values())))


def numbers_in(labels: Array) -> set[int]:
    """Returns the class numbers of a label map.

    Raises:
        UnusableDataset: It holds something else than class numbers.
    """
    numbers = np.unique(labels)
    if numbers.dtype.kind == "f" and not (numbers == np.rint(numbers)).all():
        raise UnusableDataset(["expected class numbers, found fractions"])
    if len(numbers) > _MOST_CLASSES or (numbers.size and numbers.min() < 0):
        message = f"expected at most {_MOST_CLASSES} class numbers from 0, found {_told(numbers)}"
        raise UnusableDataset([message])
    return {int(number) for number in numbers}


def _told(numbers: Iterable[int]) -> str:
    listed = [f"{number:g}" for number in numbers]
    return ", ".join(listed[:6]) + (f", ... ({len(listed)} numbers)" if len(listed) > 6 else "")
