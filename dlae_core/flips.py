"""Prediction of an image and its mirror images, which agree better with the truth than one."""

from collections.abc import Callable, Sequence
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Run = Callable[[Float32], Float32]


def flipping(run: Run, axes: Sequence[int], per_pixel: bool) -> Run:
    """Returns the mean of what a network says of all mirror images.

    Args:
        run: Returns the output, float32 (batch, ...), of images (batch, *space, channels).
        axes: Axes of space, from 0, that are turned around: alone, and together.
        per_pixel: Whether outputs have the space of the images, and are turned back.
    """
    turns = list(chain.from_iterable(combinations(axes, size) for size in range(len(axes) + 1)))

    def mean(batch: Float32) -> Float32:
        total = run(batch)
        for turn in turns[1:]:
            turned = tuple(axis + 1 for axis in turn)
            output = run(np.ascontiguousarray(np.flip(batch, turned)))
            total = total + (np.flip(output, turned) if per_pixel else output)
        result: Float32 = total / np.float32(len(turns))
        return result

    return mean
