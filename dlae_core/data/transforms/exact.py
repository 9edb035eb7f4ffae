"""Flips, quarter turns and shifts by whole pixels: pixels are moved, none is computed."""

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array
from dlae_core.data.transforms.filling import Filling


def move(array: Array, matrix: NDArray[np.intp], filling: Filling) -> Array:
    """Returns an array (*space, ...) with its pixels moved, a view where that is possible.

    Args:
        array: Any type; axes after the space move along.
        matrix: (rank + 1, rank + 1) as `matrices.whole` returns it.
        filling: What stands outside.
    """
    rank = len(matrix) - 1
    sources = [int(np.abs(matrix[:rank, axis]).argmax()) for axis in range(rank)]
    space = array.shape[:rank]
    moved = array.transpose(*sources, *range(rank, array.ndim))
    for axis, source in enumerate(sources):
        # The output keeps the space of the input, whichever axis it is filled from.
        positions = matrix[source, axis] * np.arange(space[axis]) + matrix[source, -1]
        moved = _taken(moved, axis, filling.indices(positions, space[source]), filling.value)
    return moved


def _taken(array: Array, axis: int, indices: NDArray[np.intp], value: float) -> Array:
    """Returns the pixels of an axis by their indices, a value where the index is -1."""
    size = array.shape[axis]
    if len(indices) == size:
        if (indices == np.arange(size)).all():
            return array
        if (indices == np.arange(size)[::-1]).all():
            return np.flip(array, axis)
    taken = array.take(indices.clip(0), axis)
    outside = (slice(None),) * axis + (indices < 0,)
    taken[outside] = value
    return taken
