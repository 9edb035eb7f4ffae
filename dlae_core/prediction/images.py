"""Raw images as a model takes them, or why it does not."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.normalization import Preprocessing
from dlae_core.errors import InvalidImage

Numbers = NDArray[np.generic]
Float32 = NDArray[np.float32]

_BLOCK = 1 << 20


def checked_images(images: Numbers, expected: Sequence[int], resize: bool, larger: bool) -> Numbers:
    """Returns images with their channel axis, (batch, *space, channels).

    Args:
        images: Raw; the channel axis may be left out where the model has one channel.
        expected: Shape of one image that the network takes, (*space, channels).
        resize: Whether images of any other space are taken too.
        larger: Whether images of a larger space are.

    Raises:
        InvalidImage: Shape or values do not suit the model.
    """
    if images.ndim == len(expected) and expected[-1] == 1:
        images = images[..., np.newaxis]
    if images.ndim != len(expected) + 1 or images.shape[-1] != expected[-1]:
        raise InvalidImage.of_shape(expected, images.shape)
    _check_space(images.shape, expected, resize, larger)
    if images.dtype.kind not in "biuf":
        raise InvalidImage(f"expected images of numbers, got {images.dtype}")
    if images.dtype.kind == "f" and not _is_finite(images):
        raise InvalidImage("expected finite intensities, got NaN or infinity")
    return images


class Prepared:
    """An image whose parts are prepared when they are looked at: no memory for the whole.

    Attributes:
        shape: Of the prepared image, (*space, channels).
    """

    def __init__(self, image: Numbers, preprocessing: Preprocessing) -> None:
        """Takes a raw image.

        Args:
            image: (*space, channels).
            preprocessing: What happens to it, pixel by pixel.
        """
        self.shape = (*image.shape[:-1], image.shape[-1] * preprocessing.repeat)
        self._image = image
        self._preprocessing = preprocessing

    def __getitem__(self, part: tuple[slice, ...]) -> Float32:
        return self._preprocessing.image(self._image[part])


def prepared(image: Numbers, preprocessing: Preprocessing) -> Float32 | Prepared:
    """Returns an image prepared, part by part where that is the same."""
    if preprocessing.is_pointwise:
        return Prepared(image, preprocessing)
    return preprocessing.image(image)


def _is_finite(images: Numbers) -> bool:
    """Returns whether all numbers are, without as many truth values at once."""
    if not images.flags.c_contiguous:
        return bool(np.isfinite(images).all())
    flat = images.reshape(-1)
    starts = range(0, flat.size, _BLOCK)
    return all(np.isfinite(flat[start : start + _BLOCK]).all() for start in starts)


def _check_space(
    shape: tuple[int, ...], expected: Sequence[int], resize: bool, larger: bool
) -> None:
    lengths = list(zip(shape[1:], expected, strict=True))
    if resize:
        if not all(length for length, _ in lengths):
            raise InvalidImage(f"expected images with pixels, got {shape}")
    elif not larger and any(length != least for length, least in lengths):
        raise InvalidImage.of_shape(expected, shape)
    elif any(length < least for length, least in lengths):
        axes = ", ".join(map(str, expected))
        raise InvalidImage(
            f"expected images of shape (batch, {axes}) or larger, got {shape}; pad them"
        )
