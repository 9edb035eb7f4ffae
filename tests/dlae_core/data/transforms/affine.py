"""Affine matrices and their reference: SciPy in float64."""

import numpy as np
from scipy import ndimage

from dlae_core.data.transforms.filling import SCIPY_MODES, Filling
from dlae_core.data.transforms.matrices import Matrix, about_centre, identity

ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}


def some_matrix(space: tuple[int, ...], degrees: float, in_plane: bool = False) -> Matrix:
    """Returns a matrix that turns, leans, zooms, reverses and moves an image, not too little."""
    rank = len(space)
    matrix = identity(rank)
    pairs = [(0, 1)] if in_plane or rank == 2 else [(0, 1), (0, 2), (1, 2)]
    for first, second in pairs:
        turn = identity(rank)
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turn[[first, second], [first, second]] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = matrix @ turn
    scale = identity(rank)
    scale[0, 0], scale[1, 1], scale[0, 1] = 1.07, -0.93, 0.05
    scale[:2, -1] = np.array(space[:2]) * (0.06, -0.04) + 0.3
    return about_centre(matrix @ scale, space)


def reference(
    array: np.ndarray, matrix: Matrix, interpolation: str, filling: Filling
) -> np.ndarray:
    """Returns SciPy's float64 resampling of every channel of (*space, channels)."""
    return np.stack(
        [
            ndimage.affine_transform(
                array[..., channel].astype(np.float64),
                matrix,
                order=ORDERS[interpolation],
                mode=SCIPY_MODES[filling.mode],
                cval=filling.value,
            )
            for channel in range(array.shape[-1])
        ],
        axis=-1,
    )


def positions(matrix: Matrix, space: tuple[int, ...]) -> np.ndarray:
    """Returns the input position of every output pixel, float64 (*space, rank)."""
    places = np.moveaxis(np.indices(space), 0, -1)
    return places @ matrix[:-1, :-1].T + matrix[:-1, -1]


def halfway(matrix: Matrix, space: tuple[int, ...]) -> np.ndarray:
    """Returns which output pixels lie halfway between two input pixels: either may be nearest."""
    distance = np.abs(positions(matrix, space) % 1 - 0.5)
    return (distance < 1e-3).any(axis=-1)
