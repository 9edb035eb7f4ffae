"""How much images of values resemble those that they must be."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from dlae_core.monitors.monitor import Monitor, mean_of_samples

# Of the Gaussian window of the structural similarity, in pixels.
WINDOW, DEVIATION = 11, 1.5
_MEAN_CONSTANT, _VARIANCE_CONSTANT = 0.01, 0.03
# Smallest mean squared error: a perfect image has 120 dB at a range of 1.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Range:
    """Between which values images lie.

    Attributes:
        length: Of the range; None: from the lowest to the highest value of each true image.
    """

    length: float | None = None

    def squared(self, y_true: Any) -> Any:
        """Returns the square of the length for each image of a batch, float32 (batch,)."""
        axes = tuple(range(1, len(y_true.shape)))
        if self.length is None:
            return ops.square(ops.max(y_true, axes) - ops.min(y_true, axes))
        return ops.full((ops.shape(y_true)[0],), self.length**2)


def psnr_monitor(values: Range) -> Monitor:
    """Returns `psnr`, the mean over all images of `10 log10(range^2 / mean squared error)`, dB."""

    def of(y_true: Any, y_pred: Any) -> Any:
        axes = tuple(range(1, len(y_true.shape)))
        error = ops.maximum(ops.mean(ops.square(y_pred - y_true), axes), _SMALLEST)
        square = ops.maximum(values.squared(y_true), _SMALLEST)
        return ops.mean(ops.log(square / error)) * (10 / math.log(10))

    return mean_of_samples("psnr", of)


def ssim_monitor(values: Range) -> Monitor:
    """Returns `ssim`, the mean structural similarity over all images, channels and windows.

    The window is a Gaussian of 11 pixels, or of as many as the image has, the largest odd number;
    it lies within the image everywhere. Of volumes it has three axes.

    Reference: Wang et al. (2004), Image quality assessment: from error visibility to structural
    similarity.
    """

    def of(y_true: Any, y_pred: Any) -> Any:
        weighted = [_window_means(one) for one in _moments(y_true, y_pred)]
        mean_t, mean_p, square_t, square_p, product = weighted
        square = ops.reshape(values.squared(y_true), (-1, *(1 for _ in y_true.shape[1:])))
        square = ops.maximum(square, _SMALLEST)
        first, second = (square * one**2 for one in (_MEAN_CONSTANT, _VARIANCE_CONSTANT))
        variances = square_t - ops.square(mean_t) + square_p - ops.square(mean_p)
        covariance = product - mean_t * mean_p
        above = (2 * mean_t * mean_p + first) * (2 * covariance + second)
        below = (ops.square(mean_t) + ops.square(mean_p) + first) * (variances + second)
        return ops.mean(above / below)

    return mean_of_samples("ssim", of)


def _moments(y_true: Any, y_pred: Any) -> tuple[Any, ...]:
    return y_true, y_pred, ops.square(y_true), ops.square(y_pred), y_true * y_pred


def _window_means(images: Any) -> Any:
    """Returns the weighted means in every window, float32 (batch, *windows, channels)."""
    rank = len(images.shape) - 2
    for axis in range(1, rank + 1):
        length = images.shape[axis]
        size = min(WINDOW, length - 1 + length % 2)
        # One window along one axis, the same for every channel: channels become images.
        lines = ops.moveaxis(images, axis, -1)
        others = ops.shape(lines)[:-1]
        filtered = ops.conv(ops.reshape(lines, (-1, length, 1)), _window(size), padding="valid")
        images = ops.moveaxis(ops.reshape(filtered, (*others, length - size + 1)), -1, axis)
    return images


def _window(size: int) -> Any:
    places = np.arange(size) - (size - 1) / 2
    weights = np.exp(-np.square(places) / (2 * DEVIATION**2))
    return ops.convert_to_tensor((weights / weights.sum())[:, None, None], "float32")
