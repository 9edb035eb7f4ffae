"""Prediction of mirror images."""

import numpy as np

from dlae_core.flips import flipping


def _images() -> np.ndarray:
    return np.random.default_rng(5).normal(0, 1, (2, 3, 4, 2)).astype(np.float32)


def test_outputs_per_pixel_are_turned_back_and_averaged() -> None:
    ramp = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    images = _images()
    found = flipping(lambda batch: batch + ramp, (0, 1), per_pixel=True)(images)
    # The mean of a ramp and its mirror images is its middle everywhere.
    np.testing.assert_allclose(found, images + 5.5, rtol=1e-6)


def test_outputs_per_image_are_averaged() -> None:
    images = _images()
    found = flipping(lambda batch: batch[:, 0, :2, 0], (0,), per_pixel=False)(images)
    np.testing.assert_allclose(found, (images[:, 0, :2, 0] + images[:, 2, :2, 0]) / 2, rtol=1e-6)


def test_without_axes_nothing_is_turned() -> None:
    images = _images()
    np.testing.assert_array_equal(flipping(lambda batch: batch, (), True)(images), images)
