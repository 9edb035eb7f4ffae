"""Images resized to a network's input, and what it gives back to the images' own size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def resized(array: NDArray[np.generic], space: Sequence[int]) -> Float32:
    """Returns an array with another space, interpolated linearly between pixels' centres.

    Where an axis becomes shorter, each pixel is a mean over all that it stands for, weighted by a
    triangle: nothing between is left out.

    Args:
        array: (*space, channels), of any numeric type.
        space: The new lengths.

    Returns:
        float32 (*space, channels).
    """
    result = array.astype(np.float32)
    for axis, length in enumerate(space):
        if length != array.shape[axis]:
            weights = _weights(array.shape[axis], length)
            result = np.moveaxis(np.tensordot(weights, result, (1, axis)), 0, axis)
    return np.ascontiguousarray(result)


def resized_points(points: Float32, from_space: Sequence[int], to_space: Sequence[int]) -> Float32:
    """Returns points, in pixels of one space, in pixels of another.

    Args:
        points: (..., values): one number per axis, for each point in turn; 0 is the centre of the
            first pixel.
        from_space: Lengths of the space they are in.
        to_space: Those of the other.
    """
    scale = np.divide(to_space, from_space)
    repeats = points.shape[-1] // len(scale)
    scales = np.tile(scale, repeats)
    moved: Float32 = ((points + 0.5) * scales - 0.5).astype(np.float32)
    return moved


def _weights(old: int, new: int) -> Float32:
    """Returns what each new pixel takes of each old one, (new, old); each row adds up to 1."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale - 0.5
    distances = np.abs(np.arange(old) - np.clip(centres, 0, old - 1)[:, np.newaxis])
    weights = np.maximum(0, 1 - distances / max(scale, 1))
    found: Float32 = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return found
