"""Boxes around the objects of a label map."""

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array

Float32 = NDArray[np.float32]


def boxes_of_regions(labels: Array, smallest_px: int = 1) -> Float32:
    """Returns a box around each connected region of one class, float32 (boxes, 5).

    Pixels of the same class that touch at a side or a corner belong together. A box reaches from
    the left and upper edges of its first pixels to the right and lower edges of its last. Boxes
    are in the order of their uppermost, then leftmost pixel.

    Args:
        labels: (rows, cols) whole numbers; 0 is the background.
        smallest_px: Regions of fewer pixels are left out.
    """
    runs = _runs(labels)
    if len(runs) == 0:
        return np.zeros((0, 5), np.float32)
    roots = _joined(runs)
    order = np.argsort(roots, kind="stable")
    starts = np.flatnonzero(np.diff(roots[order], prepend=-1))
    row, first, end, value = runs[order].T
    boxes = np.stack(
        [
            value[starts],
            np.minimum.reduceat(first, starts),
            np.minimum.reduceat(row, starts),
            np.maximum.reduceat(end, starts),
            np.maximum.reduceat(row, starts) + 1,
        ],
        axis=1,
    )
    pixels = np.add.reduceat(end - first, starts)
    return boxes[pixels >= smallest_px].astype(np.float32)


def _runs(labels: Array) -> NDArray[np.int64]:
    """Returns runs of equal pixels, int64 (runs, 4): row, first column, end, class; in order."""
    rows, cols = labels.shape
    framed = np.zeros((rows, cols + 2), labels.dtype)
    framed[:, 1:-1] = labels
    changes = framed[:, 1:] != framed[:, :-1]
    row, column = np.nonzero(changes)
    value = framed[row, column + 1]
    starts = np.flatnonzero(value != 0)
    # A run ends where the next change in its row is.
    return np.stack(
        [row[starts], column[starts], column[starts + 1], value[starts].astype(np.int64)], axis=1
    ).astype(np.int64)


def _joined(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the first run of the region that each run belongs to.

    Reference: Galler, Fischer (1964), An improved equivalence algorithm.
    """
    parents = list(range(len(runs)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    above, table = 0, runs.tolist()
    for place, (row, first, end, value) in enumerate(table):
        # Runs are in order: those that lie above and end too far left touch none that follows.
        while table[above][0] < row - 1 or (table[above][0] == row - 1 and table[above][2] < first):
            above += 1
        other = above
        while table[other][0] == row - 1 and table[other][1] <= end:
            if table[other][3] == value:
                one, two = sorted((root(place), root(other)))
                parents[two] = one
            other += 1
    return np.array([root(place) for place in range(len(table))], np.int64)
