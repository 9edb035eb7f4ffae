"""Images resized, and points that move along."""

import numpy as np
import pytest

from dlae_core.postprocessing.resizing import resized, resized_points


def test_a_ramp_stays_a_ramp_of_the_same_ends() -> None:
    ramp = np.arange(8, dtype=np.int16)[np.newaxis, :, np.newaxis]
    larger = resized(ramp, (1, 16))[0, :, 0]
    # Centres of the new pixels, in old pixels; at the border the outermost pixel goes on.
    expected = np.clip((np.arange(16) + 0.5) / 2 - 0.5, 0, 7)
    np.testing.assert_allclose(larger, expected, atol=1e-6)
    np.testing.assert_allclose(resized(ramp, (1, 4))[0, 1:-1, 0], [2.5, 4.5], atol=1e-6)


@pytest.mark.parametrize("space", [(3, 5, 2), (9, 4, 8), (6, 7, 4)])
def test_flat_images_stay_flat_and_the_mean_is_kept(space: tuple[int, ...]) -> None:
    flat = np.full((6, 7, 4, 2), 1000, np.uint16)
    found = resized(flat, space)
    assert (found.shape, found.dtype) == ((*space, 2), np.float32)
    np.testing.assert_allclose(found, 1000, rtol=1e-6)


def test_shrinking_leaves_no_pixel_out() -> None:
    image = np.zeros((64, 1, 1), np.float32)
    image[21] = 8
    assert resized(image, (8, 1)).sum() == pytest.approx(1, rel=0.01)


def test_points_keep_their_place_in_the_image() -> None:
    image = np.zeros((16, 32, 1), np.float32)
    image[4:6, 20:22] = 1
    small = resized(image, (8, 16))
    assert np.unravel_index(small.argmax(), (8, 16)) == (2, 10)
    found = resized_points(np.float32([[2, 10, 0, 0]]), (8, 16), (16, 32))
    np.testing.assert_allclose(found, [[4.5, 20.5, 0.5, 0.5]])
