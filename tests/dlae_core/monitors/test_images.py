"""Metrics of images against the formulas in float64."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from dlae_core.monitors.images import Range, psnr_monitor, ssim_monitor
from dlae_core.monitors.monitor import Monitor

pytestmark = pytest.mark.keras


def _pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.random(shape)
    return truth, truth + random.normal(0, 0.1, shape)


def _value(monitor: Monitor, truth: np.ndarray, found: np.ndarray) -> float:
    # In two batches: the metric is that of all images.
    sums = sum(
        np.float64(monitor.sums(truth[part].astype("float32"), found[part].astype("float32")))
        for part in (slice(0, 2), slice(2, None))
    )
    (value,) = monitor.results(sums).values()
    return value


@pytest.mark.parametrize("length", [2.0, None])
def test_psnr_is_the_mean_of_each_image_in_decibel(length: float | None) -> None:
    truth, found = _pair((3, 9, 7, 2))
    expected = [
        10 * np.log10((length or t.max() - t.min()) ** 2 / np.mean((t - f) ** 2))
        for t, f in zip(truth, found, strict=True)
    ]
    assert _value(psnr_monitor(Range(length)), truth, found) == pytest.approx(
        np.mean(expected), rel=1e-5
    )


def _similarity(truth: np.ndarray, found: np.ndarray, length: float) -> float:
    """Returns the structural similarity of one channel, space only."""

    def mean(image: np.ndarray) -> np.ndarray:
        for axis, count in enumerate(truth.shape):
            size = min(11, count if count % 2 else count - 1)
            places = np.arange(size) - size // 2
            weights = np.exp(-(places**2) / 4.5)
            image = correlate1d(image, weights / weights.sum(), axis, mode="constant")
            image = np.take(image, range(size // 2, count - size // 2), axis)
        return image

    m, n = mean(truth), mean(found)
    variance, other = mean(truth**2) - m**2, mean(found**2) - n**2
    both = mean(truth * found) - m * n
    c, d = (0.01 * length) ** 2, (0.03 * length) ** 2
    similar = (2 * m * n + c) * (2 * both + d) / ((m**2 + n**2 + c) * (variance + other + d))
    return float(similar.mean())


@pytest.mark.parametrize("shape", [(3, 16, 13, 2), (3, 8, 12, 1), (3, 12, 11, 6, 2)])
def test_ssim_is_that_of_every_window(shape: tuple[int, ...]) -> None:
    truth, found = _pair(shape)
    expected = [
        _similarity(t[..., channel], f[..., channel], 2.0)
        for t, f in zip(truth, found, strict=True)
        for channel in range(shape[-1])
    ]
    value = _value(ssim_monitor(Range(2.0)), truth, found)
    assert value == pytest.approx(np.mean(expected), rel=1e-4)


def test_equal_images_are_perfect_and_finite() -> None:
    truth, _ = _pair((3, 12, 12, 1))
    assert _value(ssim_monitor(Range(1.0)), truth, truth) == pytest.approx(1.0, abs=1e-5)
    assert _value(psnr_monitor(Range(1.0)), truth, truth) == pytest.approx(120.0)


def test_flat_images_give_numbers() -> None:
    flat = np.zeros((3, 12, 12, 1))
    for monitor in (psnr_monitor(Range()), ssim_monitor(Range())):
        assert np.isfinite(_value(monitor, flat, flat + 0.1))
