"""Images against images: values of scikit-image."""

import math

import numpy as np
import pytest
from skimage import metrics

from dlae_core.evaluation.images import Images
from dlae_core.evaluation.measures import Bootstrap, Key
from dlae_core.evaluation.result import Sample

RANDOM = np.random.default_rng(9)


def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    reference = RANDOM.uniform(0, 200, shape).astype(np.float32)
    return reference, reference + RANDOM.normal(0, 9, shape).astype(np.float32)


def values(*pairs: tuple[np.ndarray, np.ndarray], data_range: float | None = None) -> dict:
    evaluator = Images(data_range)
    evaluator.add([Sample(str(i), found, wanted) for i, (wanted, found) in enumerate(pairs)])
    return dict(evaluator.result(Bootstrap(0)).cases[0].values)


@pytest.mark.parametrize("shape", [(24, 20, 1), (16, 18, 3), (9, 10, 11, 1)])
def test_values_are_those_of_scikit_image(shape: tuple[int, ...]) -> None:
    reference, predicted = pair(*shape)
    wanted, found = reference.astype(np.float64), predicted.astype(np.float64)
    width = wanted.max() - wanted.min()
    expected = {
        Key("mae"): np.abs(wanted - found).mean(),
        Key("rmse"): np.sqrt(metrics.mean_squared_error(wanted, found)),
        Key("psnr", "", "dB"): metrics.peak_signal_noise_ratio(wanted, found, data_range=width),
        Key("ssim"): metrics.structural_similarity(
            wanted, found, data_range=width, channel_axis=-1
        ),
    }
    assert values((reference, predicted)) == pytest.approx(expected, abs=1e-9)


def test_similarity_of_one_window_is_the_formula() -> None:
    reference, predicted = (one.astype(np.float64) for one in pair(7, 7, 1))
    x, y = reference.ravel(), predicted.ravel()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    covariance = np.cov(x, y)
    expected = (2 * x.mean() * y.mean() + c1) * (2 * covariance[0, 1] + c2)
    expected /= (x.mean() ** 2 + y.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
    assert values((reference, predicted), data_range=255)[Key("ssim")] == pytest.approx(expected)


def test_errors_of_a_case_are_those_of_all_its_pixels() -> None:
    pairs = [pair(8, 8, 1), pair(12, 9, 1)]
    found = values(*pairs)
    errors = np.concatenate([(one - other).ravel() for one, other in pairs]).astype(np.float64)
    assert found[Key("rmse")] == pytest.approx(np.sqrt((errors**2).mean()))
    reference = np.concatenate([one.ravel() for one, _ in pairs])
    width = float(reference.max() - reference.min())
    psnr = 10 * math.log10(width**2 / (errors**2).mean())
    assert found[Key("psnr", "", "dB")] == pytest.approx(psnr)


def test_a_perfect_image_has_an_infinite_ratio_and_a_flat_one_none() -> None:
    reference, _ = pair(8, 8, 1)
    perfect = values((reference, reference))
    assert (perfect[Key("psnr", "", "dB")], perfect[Key("ssim")]) == (math.inf, 1)
    flat = np.ones((8, 8, 1), np.float32)
    assert math.isnan(values((flat, flat))[Key("ssim")])


def test_small_images_use_a_smaller_window_and_say_so() -> None:
    reference, predicted = pair(6, 20, 1)
    evaluator = Images()
    evaluator.add([Sample("0", predicted, reference)])
    result = evaluator.result(Bootstrap(0))
    expected = metrics.structural_similarity(
        reference.astype(np.float64),
        predicted.astype(np.float64),
        win_size=5,
        data_range=float(reference.max() - reference.min()),
        channel_axis=-1,
    )
    assert result.cases[0].values[Key("ssim")] == pytest.approx(expected)
    assert "smaller window" in result.notes[0]
