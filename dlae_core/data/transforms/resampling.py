"""One affine resampling of an image, a map of values or a label map."""

from typing import Any

import numpy as np

from dlae_core.data.source import Array
from dlae_core.data.transforms.exact import move
from dlae_core.data.transforms.filling import SCIPY_MODES, Filling
from dlae_core.data.transforms.matrices import Matrix, is_in_plane, whole
from dlae_core.data.transforms.planes import resample_planes
from dlae_core.data.transforms.volumes import resample_volume

# Types that OpenCV takes exactly, from small to large.
_TYPES = (np.uint8, np.uint16, np.float32)


def resample(array: Array, matrix: Matrix, interpolation: str, filling: Filling) -> Array:
    """Returns an array whose pixel at p is the input's value at `matrix @ p`.

    Where the matrix takes pixels to whole pixels nothing is interpolated, whatever the setting.

    Args:
        array: (rows, cols[, slices], channels), numbers. Class numbers are to fit into uint16.
        matrix: (3, 3) or (4, 4), output to input, in pixels.
        interpolation: `nearest`, `linear`, or `cubic`: a cubic spline through the pixels.
        filling: What stands outside the input.

    Returns:
        An array of the same shape: of the same type if nothing was interpolated, else float32, or
        for `nearest` the smallest of uint8, uint16 and float32 that holds the input's type.

    Differs: DLAE 1.0 resampled with SciPy. Positions are float32 here: they are off by less than
    1/2000 pixel.
    """
    pixels = whole(matrix)
    if pixels is not None:
        return move(array, pixels, filling)
    if interpolation == "cubic":
        return _splines(array, matrix, filling)
    suitable = array.astype(_suitable(array.dtype, interpolation), copy=False)
    rank = len(matrix) - 1
    if rank == 2:
        return resample_planes(suitable, matrix, interpolation, filling)
    if is_in_plane(matrix):
        # The slices of all channels are so many planes of one image.
        planes = suitable.reshape(*suitable.shape[:2], -1)
        flat = np.delete(np.delete(matrix, 2, axis=0), 2, axis=1)
        return resample_planes(planes, flat, interpolation, filling).reshape(array.shape)
    channels = (
        resample_volume(suitable[..., channel], matrix, interpolation, filling)
        for channel in range(suitable.shape[-1])
    )
    return np.stack(list(channels), axis=-1)


def _suitable(kind: np.dtype[Any], interpolation: str) -> type[np.generic]:
    if interpolation == "nearest":
        for suitable in _TYPES:
            if np.can_cast(kind, suitable):
                return suitable
    return np.float32


def _splines(array: Array, matrix: Matrix, filling: Filling) -> Array:
    # SciPy is large, and only who asks for splines needs it.
    from scipy import ndimage  # noqa: PLC0415

    out = np.empty(array.shape, np.float32)
    for channel in range(array.shape[-1]):
        ndimage.affine_transform(
            array[..., channel],
            matrix,
            output=out[..., channel],
            order=3,
            mode=SCIPY_MODES[filling.mode],
            cval=filling.value,
        )
    return out
