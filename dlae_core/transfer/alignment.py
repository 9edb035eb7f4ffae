"""Which layer of a file is which layer of a network."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Shapes = list[tuple[int, ...]]


class Stored(Protocol):
    """A layer in a file."""

    @property
    def name(self) -> str:
        """Name in the file."""

    @property
    def shapes(self) -> Shapes:
        """Shapes of its weights."""

    def arrays(self) -> list[NDArray[np.float32]]:
        """Reads its weights."""


# Layers by kind: what a file of weights holds.
Layers = Mapping[str, Sequence[Stored]]


def aligned(wanted: Sequence[Shapes], found: Sequence[Shapes]) -> list[tuple[int, int]]:
    """Returns which items of two lists belong together, in their order, as many as possible.

    Only equal items do. So a layer that one side has more, or that differs, such as the last one
    for another number of classes, does not keep those after it from being matched.

    Returns:
        Pairs of positions (in `wanted`, in `found`), both rising.

    Reference: Wagner, Fischer (1974), The string-to-string correction problem.
    """
    best = np.zeros((len(wanted) + 1, len(found) + 1), np.int32)
    for i in reversed(range(len(wanted))):
        for j in reversed(range(len(found))):
            both = best[i + 1, j + 1] + 1 if wanted[i] == found[j] else 0
            best[i, j] = max(both, best[i + 1, j], best[i, j + 1])
    pairs = []
    i = j = 0
    while i < len(wanted) and j < len(found):
        if wanted[i] == found[j] and best[i, j] == best[i + 1, j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs
