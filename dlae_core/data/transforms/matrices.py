"""Homogeneous matrices that map output positions to input positions, in pixels.

Positions are (row, column[, slice]); pixel centres lie at whole numbers, so the centre of an axis
of n pixels is (n - 1) / 2.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# What rounding leaves of a matrix of whole numbers, such as the sine of 180 degrees.
ROUNDING = 1e-9


def identity(rank: int) -> Matrix:
    """Returns the matrix that moves nothing, (rank + 1, rank + 1)."""
    return np.eye(rank + 1)


def linear(rank: int, block: Matrix) -> Matrix:
    """Returns a linear map of the first axes, (rank + 1, rank + 1); other axes stay."""
    matrix = identity(rank)
    size = len(block)
    matrix[:size, :size] = block
    return matrix


def product(matrices: Iterable[Matrix], rank: int) -> Matrix:
    """Returns the product of matrices, the leftmost of which is applied to positions last."""
    total = identity(rank)
    for matrix in matrices:
        total = total @ matrix
    return total


def about_centre(matrix: Matrix, space: tuple[int, ...]) -> Matrix:
    """Returns a matrix whose origin is moved to the centre of an image.

    Args:
        matrix: (rank + 1, rank + 1), about the origin.
        space: Number of pixels along each axis.

    Differs: DLAE 1.0 took (n / 2 + 0.5), one pixel off along each axis (A1).
    """
    centre = (np.array(space) - 1) / 2
    moved: Matrix = translation(centre) @ matrix @ translation(-centre)
    return moved


def translation(offset: NDArray[np.float64]) -> Matrix:
    """Returns the matrix that adds an offset in pixels."""
    matrix = identity(len(offset))
    matrix[:-1, -1] = offset
    return matrix


def whole(matrix: Matrix) -> NDArray[np.intp] | None:
    """Returns a matrix that only permutes, reverses and shifts by whole pixels as integers.

    None for any other: only the former take every pixel to exactly one pixel.
    """
    rounded = np.rint(matrix)
    if np.abs(matrix - rounded).max() > ROUNDING:
        return None
    steps = np.abs(rounded[:-1, :-1])
    permutes = (steps.sum(axis=0) == 1).all() and (steps.sum(axis=1) == 1).all()
    return rounded.astype(np.intp) if permutes else None


def is_in_plane(matrix: Matrix) -> bool:
    """Returns whether a matrix of three axes leaves the slices where they are."""
    return bool((matrix[2] == (0, 0, 1, 0)).all() and (matrix[:2, 2] == 0).all())
