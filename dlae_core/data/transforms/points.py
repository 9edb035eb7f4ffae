"""Points that move along with their image."""

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.transforms.matrices import Matrix


def move_points(points: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float32]:
    """Returns points moved, float32 (count, rank).

    Points may leave the image; they then lie outside its space, as their objects do.

    Args:
        points: (count, rank), each (row, column[, slice]) in pixels; pixel centres are whole.
        matrix: From output to input positions; points go the other way.
    """
    back = np.linalg.inv(matrix)
    moved: NDArray[np.float32] = (points @ back[:-1, :-1].T + back[:-1, -1]).astype(np.float32)
    return moved
