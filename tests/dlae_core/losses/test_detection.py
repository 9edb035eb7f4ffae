"""The loss of detectors against the specification, DLAE 1.0 and NumPy."""

from functools import partial

import numpy as np
import pytest

from dlae_core.losses.detection import ssd, ssd_terms
from tests.dlae_core.losses.inputs import (
    golden_arrays,
    golden_cases,
    golden_pair,
    value_and_gradient,
)

pytestmark = pytest.mark.keras

# Appendix B.1: an object, two backgrounds, an anchor that counts nowhere.
CLASSES = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)
FOUND = np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4]], np.float32)


def _rows(classes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Returns rows of a detector, float32 (1, anchors, classes + 12)."""
    rest = np.full((len(classes), 8), 7, np.float32)
    return np.concatenate([classes, offsets, rest], axis=-1)[np.newaxis].astype(np.float32)


OFFSETS = np.zeros((4, 4))
TRUTH = _rows(CLASSES, np.array([[0.5, -0.5, 0, 2], [9] * 4, [9] * 4, [9] * 4]))
PREDICTED = _rows(FOUND, OFFSETS)


def test_loss_has_the_values_of_the_specification() -> None:
    assert float(ssd(TRUTH, PREDICTED, 1, 1)) == pytest.approx(2.617501, rel=1e-6)
    assert float(ssd(TRUTH, PREDICTED, 3, 1)) == pytest.approx(2.722861, rel=1e-6)
    classification, localization = ssd_terms(TRUTH, PREDICTED, 0)
    assert float(classification) == pytest.approx(0.356675, rel=1e-6)
    assert float(localization) == pytest.approx(1.75)


def test_fraction_of_the_ratio_is_cut_off() -> None:
    assert float(ssd(TRUTH, PREDICTED, 1.9, 1)) == float(ssd(TRUTH, PREDICTED, 1, 1))


def test_loss_and_gradient_are_those_of_1_0() -> None:
    # A least number of negatives cannot be configured in 1.0.
    cases = {
        key: case
        for key, case in golden_cases().items()
        if key.startswith("ssd/") and case["params"]["n_neg_min"] == 0
    }
    assert len(cases) == 6
    for key, case in cases.items():
        ratio, weight = case["params"]["neg_pos_ratio"], case["params"]["alpha"]
        loss = partial(ssd, negatives=ratio, localization=weight)
        value, gradient = value_and_gradient(loss, *golden_pair(case["input"]))
        np.testing.assert_allclose(value, case["mean"], rtol=1e-5, err_msg=key)
        expected = golden_arrays()[f"{key}/grad_of_mean"]
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5, err_msg=key)


def _in_numpy(truth: np.ndarray, found: np.ndarray, ratio: int, weight: float) -> float:
    """Returns the loss of the specification, anchor by anchor."""
    total, count, negatives = 0.0, 0, []
    for row, guess in zip(truth.reshape(-1, 15), found.reshape(-1, 15), strict=True):
        entropy = -sum(y * np.log(max(p, 1e-15)) for y, p in zip(row[:3], guess[:3], strict=True))
        if row[0]:
            negatives.append(entropy)
        if row[1:3].any():
            count += 1
            sizes = np.abs(row[3:7] - guess[3:7])
            distance = sum(d * d / 2 if d < 1 else d - 0.5 for d in sizes)
            total += entropy + weight * distance
    kept = sorted(negatives, reverse=True)[: ratio * count]
    return (total + sum(kept)) / max(1, count)


@pytest.mark.parametrize("objects", [0, 1, 40])
def test_loss_equals_that_of_a_loop_over_anchors(objects: int) -> None:
    random = np.random.default_rng(objects)
    kinds = random.permutation([1, 2] * objects + [3] * 30 + [0] * (370 - 2 * objects))
    truth = np.concatenate([np.eye(4)[kinds][:, :3], random.normal(0, 2, (400, 12))], -1)
    found = np.concatenate([random.dirichlet([1] * 3, 400), random.normal(0, 2, (400, 12))], -1)
    pair = [one.reshape(4, 100, 15).astype(np.float32) for one in (truth, found)]
    expected = _in_numpy(*(one.astype(float) for one in pair), 3, 0.5)
    assert float(ssd(*pair, 3, 0.5)) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_objects_has_loss_0_and_no_gradient() -> None:
    value, gradient = value_and_gradient(
        partial(ssd, negatives=3, localization=1), *golden_pair("ssd_nopos")
    )
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_value_and_gradient_are_finite_for_probabilities_of_0_and_1(kind: str) -> None:
    for found in (np.eye(3)[[0, 1, 1, 2]], np.eye(3)[[1, 0, 0, 2]], np.zeros((4, 3))):
        loss = partial(ssd, negatives=3, localization=1)
        value, gradient = value_and_gradient(loss, TRUTH, _rows(found, OFFSETS), kind)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("compiled", [False, True])
def test_loss_compiles_for_any_batch_size_and_with_xla(compiled: bool) -> None:
    import tensorflow as tf

    truth, found = golden_pair("ssd_a")
    shape = tf.TensorSpec((None, *truth.shape[1:]), tf.float32)
    step = tf.function(
        lambda y_true, y_pred: ssd(y_true, y_pred, 3, 1),
        input_signature=[shape, shape],
        jit_compile=compiled,
    )
    for size in (2, 1):
        expected = float(ssd(truth[:size], found[:size], 3, 1))
        assert float(step(truth[:size], found[:size])) == pytest.approx(expected, rel=1e-5)
