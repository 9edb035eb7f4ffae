"""What phantoms are made of: ellipses, smooth textures, noise. Nothing here comes from patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]


def ellipse(
    shape: tuple[int, int], centre: ArrayLike, radii: ArrayLike, angle: float = 0.0
) -> Bools:
    """Returns the pixels within an ellipse.

    Args:
        shape: Rows and columns of the image.
        centre: Row and column.
        radii: Along its two axes, in pixels.
        angle: From the rows to its first axis, in radians.
    """
    rows, cols = np.mgrid[: shape[0], : shape[1]] - np.reshape(centre, (2, 1, 1))
    radius = np.asarray(radii, np.float64)
    first = rows * np.cos(angle) + cols * np.sin(angle)
    second = cols * np.cos(angle) - rows * np.sin(angle)
    return np.asarray((first / radius[0]) ** 2 + (second / radius[1]) ** 2 <= 1)


def texture(random: np.random.Generator, shape: Sequence[int], grain: float) -> Float:
    """Returns smooth noise of mean 0 and standard deviation 1.

    Args:
        random: Where it is drawn from.
        shape: Of the image.
        grain: Standard deviation of the Gaussian that smoothes it, in pixels.
    """
    smooth = ndimage.gaussian_filter(random.normal(size=shape), grain, mode="wrap")
    return np.asarray((smooth - smooth.mean()) / smooth.std())


def as_image(values: Float) -> NDArray[np.float32]:
    """Returns an image with a channel axis; negative intensities become 0."""
    return np.maximum(values, 0)[..., np.newaxis].astype(np.float32)
