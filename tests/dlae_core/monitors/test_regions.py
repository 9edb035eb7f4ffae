"""Dice, intersection over union, sensitivity and specificity against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, recall_score

from dlae.v1.config_pb2 import Monitors as Settings
from dlae_core.monitors import build_monitors
from dlae_core.monitors.counting import joined_counts, split_counts
from tests.dlae_core.monitors.epochs import probabilities, results_of, target

pytestmark = pytest.mark.keras

SWITCHES = ("dice", "iou", "sensitivity", "specificity")
ALL = Settings(**{f"{name}_switch": True for name in SWITCHES})


def _specificity(labels: np.ndarray, found: np.ndarray, number: int) -> float:
    return recall_score(labels != number, found != number)


def _expected(labels: np.ndarray, found: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Returns each measure of each class, by scikit-learn on all pixels of an epoch."""
    options = {"labels": range(classes), "average": None}
    return {
        "dice": f1_score(labels, found, **options),
        "iou": jaccard_score(labels, found, **options),
        "sensitivity": recall_score(labels, found, **options),
        "specificity": np.array([_specificity(labels, found, one) for one in range(classes)]),
    }


@pytest.mark.parametrize("kind", ["one_hot", "sparse"])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("space", [(), (6, 5), (4, 3, 2)])
def test_measures_are_those_of_scikit_learn_over_the_whole_epoch(
    kind: str, classes: int, space: tuple[int, ...]
) -> None:
    random = np.random.default_rng(classes)
    labels = random.integers(0, classes, (90, *space))
    predicted = probabilities(labels, classes, 1, random)
    monitors = build_monitors(ALL, kind, per_pixel=bool(space), classes=classes)
    found = results_of(monitors, target(kind, labels, classes), predicted)
    first = 1 if space or classes == 2 else 0
    for name, values in _expected(labels.ravel(), predicted.argmax(-1).ravel(), classes).items():
        assert found.pop(name) == pytest.approx(values[first:].mean(), rel=1e-6), name
        if classes == 2 and name in ("sensitivity", "specificity"):
            continue
        for number, value in enumerate(values):
            assert found.pop(f"{name}_{number}") == pytest.approx(value, rel=1e-6), name
    assert found == {}


def test_classes_that_are_absent_are_left_out_of_means_and_perfect_by_themselves() -> None:
    labels, found = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    monitors = build_monitors(ALL, "sparse", per_pixel=True, classes=3)
    truth, predicted = target("sparse", labels[np.newaxis]), target("one_hot", found[np.newaxis])
    measured = results_of(monitors, truth, predicted)
    assert measured["dice"] == measured["dice_1"] == pytest.approx(4 / 5)
    assert measured["iou"] == measured["iou_1"] == pytest.approx(2 / 3)
    assert measured["sensitivity"] == measured["sensitivity_1"] == 1.0
    assert (measured["dice_2"], measured["iou_2"], measured["sensitivity_2"]) == (1, 1, 1)
    # Class 2 is outside everywhere, and nothing is taken for it.
    assert measured["specificity_2"] == 1.0
    assert measured["specificity"] == pytest.approx((1 / 2 + 1) / 2)


def test_a_class_that_is_everywhere_has_nothing_outside() -> None:
    labels = np.ones((4, 3), int)
    monitors = build_monitors(ALL, "sparse", per_pixel=True, classes=2)
    measured = results_of(monitors, target("sparse", labels, 2), target("one_hot", labels, 2))
    assert set(measured.values()) == {1.0}


def test_switches_choose_what_is_told() -> None:
    labels = np.tile([0, 1, 2, 1], (4, 1))
    predicted = target("one_hot", labels)
    for name in SWITCHES:
        settings = Settings(**{f"{name}_switch": True})
        monitors = build_monitors(settings, "one_hot", per_pixel=False, classes=3)
        names = set(results_of(monitors, predicted, predicted))
        assert names == {name, *(f"{name}_{number}" for number in range(3))}


def test_of_many_classes_means_only_are_told() -> None:
    labels = np.arange(40)[np.newaxis]
    predicted = target("one_hot", labels, 40)
    monitors = build_monitors(ALL, "one_hot", per_pixel=True, classes=40)
    assert set(results_of(monitors, predicted, predicted)) == set(SWITCHES)


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_counts_beyond_float32_stay_exact(kind: str) -> None:
    counts = np.array([2**24 - 1, 2**24 - 3, 4095, 0], kind)
    total = sum(np.asarray(split_counts(counts)).astype(float) for _ in range(1000))
    assert joined_counts(total).tolist() == [1000.0 * int(count) for count in counts]


def test_pixels_of_a_batch_may_be_more_than_float32_counts() -> None:
    import tensorflow as tf

    predicted = tf.one_hot(tf.zeros((2, 2**23 + 1), tf.int32), 2)
    labels = tf.zeros((2, 2**23 + 1, 1), tf.int32)
    monitors = build_monitors(ALL, "sparse", per_pixel=True, classes=2)
    sums = np.asarray(monitors.sums(labels, predicted), np.float64)
    assert joined_counts(sums)[0] == 2**24 + 2
