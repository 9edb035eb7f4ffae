"""Affine resampling of planes, and of volumes plane by plane, with OpenCV.

OpenCV from version 5 on interpolates 1, 3 or 4 channels of uint8, uint16 and float32 at the exact
position; other numbers of channels and other types at positions rounded to 1/32 pixel.
"""

import cv2
import numpy as np

from dlae_core.data.source import Array
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.matrices import Matrix

BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
METHODS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR}

# The pipeline runs several samples at a time; threads inside one would only get in their way.
cv2.setNumThreads(1)


def resample_planes(array: Array, matrix: Matrix, interpolation: str, filling: Filling) -> Array:
    """Returns an array (rows, cols, planes) resampled at the positions a matrix gives.

    Args:
        array: float32, uint8 or uint16; every plane gets the same transform.
        matrix: (3, 3), output (row, column) to input.
        interpolation: `nearest` or `linear`.
        filling: What stands outside.
    """
    planes = array.shape[-1]
    if planes == 1:
        return _warped(array, matrix, interpolation, filling)
    out = np.empty(array.shape, array.dtype)
    start = 0
    for width in _widths(planes):
        part = slice(start, start + width)
        out[..., part] = _warped(array[..., part], matrix, interpolation, filling)
        start += width
    return out


def _widths(planes: int) -> list[int]:
    """Returns into how many planes each an array is divided: numbers that OpenCV does exactly."""
    fours, rest = divmod(planes, 4)
    return [4] * fours + ([1, 1] if rest == 2 else [rest] if rest else [])


def _warped(array: Array, matrix: Matrix, interpolation: str, filling: Filling) -> Array:
    rows, columns, _ = array.shape
    # OpenCV counts columns first.
    swapped = matrix[np.ix_((1, 0), (1, 0, 2))]
    warped: Array = cv2.warpAffine(
        np.ascontiguousarray(array),
        swapped,
        (columns, rows),
        flags=METHODS[interpolation] | cv2.WARP_INVERSE_MAP,
        borderMode=BORDERS[filling.mode],
        borderValue=(filling.value,) * 4,
    )
    return warped.reshape(array.shape)
