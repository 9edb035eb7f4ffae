"""Metrics of an epoch against NumPy on all its samples at once."""

import json

import numpy as np
import pytest

from dlae.v1.config_pb2 import Monitors as Settings
from dlae_core.monitors import build_monitors
from tests.dlae_core.monitors.epochs import batches, results_of, target
from tests.reference import reference_path

pytestmark = pytest.mark.keras

ALL = Settings(mse_switch=True, mae_switch=True, accuracy_switch=True)
CLASSES = 3


def _epoch(space: tuple[int, ...], used: int = CLASSES) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels (10, *space) of the first `used` classes and random probabilities."""
    random = np.random.default_rng(8)
    labels = random.integers(0, used, (10, *space))
    scores = random.random((10, *space, CLASSES))
    scores[..., used:] = 0
    return labels, (scores / scores.sum(-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("kind", ["one_hot", "sparse"])
@pytest.mark.parametrize("space", [(), (6, 5), (4, 3, 2)])
def test_errors_and_accuracy_are_those_of_the_whole_epoch(
    kind: str, space: tuple[int, ...]
) -> None:
    labels, predicted = _epoch(space)
    monitors = build_monitors(ALL, kind, per_pixel=False, classes=CLASSES)
    difference = predicted.astype(np.float64) - np.eye(CLASSES)[labels]
    assert results_of(monitors, target(kind, labels), predicted) == pytest.approx(
        {
            "mean_squared_error": (difference**2).mean(),
            "mean_absolute_error": np.abs(difference).mean(),
            "accuracy": (predicted.argmax(-1) == labels).mean(),
        },
        rel=1e-6,
    )


def test_regression_has_errors_and_no_accuracy() -> None:
    random = np.random.default_rng(2)
    truth, predicted = random.normal(0, 9, (2, 10, 7)).astype(np.float32)
    found = results_of(build_monitors(ALL, "values", False, 0), truth, predicted)
    difference = predicted.astype(np.float64) - truth
    assert found == pytest.approx(
        {
            "mean_squared_error": (difference**2).mean(),
            "mean_absolute_error": np.abs(difference).mean(),
        },
        rel=1e-6,
    )


def _dice(labels: np.ndarray, found: np.ndarray) -> float:
    """Returns the mean Dice of the classes but 0, from sets."""
    values = []
    for number in range(1, CLASSES):
        truth = set(np.flatnonzero(labels == number))
        prediction = set(np.flatnonzero(found == number))
        if truth | prediction:
            values.append(2 * len(truth & prediction) / (len(truth) + len(prediction)))
    return sum(values) / len(values)


@pytest.mark.parametrize("kind", ["one_hot", "sparse"])
@pytest.mark.parametrize("used", [2, 3])
@pytest.mark.parametrize("space", [(6, 5), (4, 3, 2)])
def test_dice_is_that_of_the_whole_epoch_and_leaves_absent_classes_out(
    kind: str, used: int, space: tuple[int, ...]
) -> None:
    labels, predicted = _epoch(space, used)
    monitors = build_monitors(Settings(), kind, per_pixel=True, classes=CLASSES)
    found = results_of(monitors, target(kind, labels), predicted)
    assert found == pytest.approx({"dice": _dice(labels, predicted.argmax(-1))}, rel=1e-6)


@pytest.mark.parametrize(("right", "dice"), [(True, 1.0), (False, 0.0)])
def test_dice_of_the_best_and_the_worst_prediction(right: bool, dice: float) -> None:
    labels = np.tile([0, 1, 2, 1], (10, 1))
    predicted = target("one_hot", labels if right else (labels + 1) % CLASSES)
    monitors = build_monitors(Settings(), "one_hot", True, CLASSES)
    assert results_of(monitors, target("one_hot", labels), predicted) == {"dice": dice}


def test_dice_is_1_where_nothing_but_background_is_expected_and_found() -> None:
    background = target("one_hot", np.zeros((10, 4), int))
    monitors = build_monitors(Settings(), "one_hot", True, CLASSES)
    assert results_of(monitors, background, background) == {"dice": 1.0}


def test_without_switches_nothing_is_measured() -> None:
    monitors = build_monitors(Settings(), "one_hot", per_pixel=False, classes=CLASSES)
    assert monitors.size == 0
    labels, predicted = _epoch(())
    assert results_of(monitors, target("one_hot", labels), predicted) == {}


def test_names_and_order_are_those_of_1_0_with_dice_behind() -> None:
    labels, predicted = _epoch((6, 5))
    monitors = build_monitors(ALL, "one_hot", per_pixel=True, classes=CLASSES)
    found = results_of(monitors, target("one_hot", labels), predicted)
    assert list(found) == ["mean_squared_error", "mean_absolute_error", "accuracy", "dice"]


def test_sums_come_out_of_a_compiled_step_for_any_batch_size() -> None:
    import tensorflow as tf

    labels, predicted = _epoch((6, 5))
    truth = target("sparse", labels)
    monitors = build_monitors(ALL, "sparse", per_pixel=True, classes=CLASSES)
    specification = [
        tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in (truth, predicted)
    ]
    step = tf.function(monitors.sums, input_signature=specification)
    for batch in batches(truth, predicted):
        np.testing.assert_allclose(step(*batch), monitors.sums(*batch), rtol=1e-6)


def test_accuracy_is_that_of_1_0_for_one_hot_targets() -> None:
    arrays = np.load(reference_path("golden", "losses.npz"))
    cases = json.loads(reference_path("golden", "losses.json").read_text())
    compared = 0
    for key, case in cases.items():
        if not key.startswith("categorical_accuracy/"):
            continue
        truth, predicted = (
            arrays[f"inputs/{case['input']}/{name}"] for name in ("y_true", "y_pred")
        )
        monitors = build_monitors(Settings(accuracy_switch=True), "one_hot", False, truth.shape[-1])
        found = monitors.results(np.asarray(monitors.sums(truth, predicted), np.float64))
        assert found["accuracy"] == pytest.approx(arrays[f"{key}/out"].mean(), rel=1e-6), key
        compared += 1
    assert compared > 15
