"""The area under the receiver operating characteristic against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dlae.v1.config_pb2 import Monitors as Settings
from dlae_core.monitors import build_monitors
from tests.dlae_core.monitors.epochs import probabilities, results_of, target

pytestmark = pytest.mark.keras

AUC = Settings(auc_switch=True)


def _two(scores: np.ndarray) -> np.ndarray:
    return np.stack([1 - scores, scores], -1).astype(np.float32)


def _measured(labels: np.ndarray, predicted: np.ndarray, kind: str = "sparse") -> dict[str, float]:
    classes = predicted.shape[-1]
    monitors = build_monitors(AUC, kind, per_pixel=False, classes=classes)
    return results_of(monitors, target(kind, labels, classes), predicted, size=150)


@pytest.mark.parametrize("kind", ["one_hot", "sparse"])
@pytest.mark.parametrize("space", [(), (9, 7)])
def test_area_of_two_classes_is_that_of_scikit_learn(kind: str, space: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, (200, *space))
    predicted = probabilities(labels, 2, 1, random)
    expected = roc_auc_score(labels.ravel(), predicted[..., 1].ravel())
    assert _measured(labels, predicted, kind) == pytest.approx({"auc": expected}, abs=2e-4)


def test_area_of_several_classes_is_that_of_each_against_the_rest() -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 4, 300)
    predicted = probabilities(labels, 4, 2, random)
    single = [roc_auc_score(labels == one, predicted[:, one]) for one in range(4)]
    expected = {"auc": np.mean(single), **{f"auc_{one}": single[one] for one in range(4)}}
    assert _measured(labels, predicted) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("all near 0", lambda random, labels: 10 ** (-6 + labels + random.normal(0, 1, 1000))),
        ("all near 1", lambda random, labels: 1 - 10 ** (-4 - labels + random.normal(0, 1, 1000))),
        ("in the middle", lambda random, labels: 0.5 + random.normal(labels, 3, 1000) / 200),
        ("at both ends", lambda random, labels: labels ^ (random.random(1000) < 0.1)),
    ],
)
def test_scores_close_to_each_other_are_told_apart(name: str, scores: object) -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 1000)
    predicted = _two(np.clip(scores(random, labels), 0, 1))
    expected = roc_auc_score(labels, predicted[:, 1])
    assert _measured(labels, predicted)["auc"] == pytest.approx(expected, abs=5e-4), name


def test_areas_of_known_orders() -> None:
    labels = np.array([0, 0, 1, 1])
    orders = {1.0: [0.1, 0.2, 0.3, 0.4], 0.0: [0.4, 0.3, 0.2, 0.1], 0.5: [0.3] * 4}
    orders[0.75] = [0.1, 0.3, 0.2, 0.4]
    for area, scores in orders.items():
        assert _measured(labels, _two(np.array(scores))) == {"auc": area}


def test_without_both_kinds_there_is_no_information() -> None:
    assert _measured(np.ones(5, int), _two(np.linspace(0, 1, 5))) == {"auc": 0.5}
    # Class 2 of three is absent: it does not count in the mean.
    labels = np.array([0, 0, 1, 1])
    found = _measured(labels, target("one_hot", labels))
    assert found == {"auc": 1.0, "auc_0": 1.0, "auc_1": 1.0, "auc_2": 0.5}


def test_many_classes_are_measured_in_wider_bins() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 40, 1000)
    predicted = probabilities(labels, 40, 2, random)
    monitors = build_monitors(AUC, "sparse", per_pixel=False, classes=40)
    assert monitors.size == 40 * 2 * 256 * 2
    expected = np.mean([roc_auc_score(labels == one, predicted[:, one]) for one in range(40)])
    assert _measured(labels, predicted) == pytest.approx({"auc": expected}, abs=1e-3)


def test_outputs_that_are_no_probabilities_are_clipped() -> None:
    labels = np.array([0, 0, 1, 1])
    assert _measured(labels, _two(np.array([-3.0, 0.5, 0.6, 7.0]))) == {"auc": 1.0}


@pytest.mark.parametrize("compiled", [False, True])
def test_area_comes_out_of_a_compiled_step_for_any_batch_size(compiled: bool) -> None:
    import tensorflow as tf

    random = np.random.default_rng(6)
    labels = random.integers(0, 3, (5, 8, 6))
    predicted, truth = probabilities(labels, 3, 1, random), target("sparse", labels)
    monitors = build_monitors(AUC, "sparse", per_pixel=True, classes=3)
    shapes = [tf.TensorSpec((None, *one.shape[1:]), one.dtype) for one in (truth, predicted)]
    step = tf.function(monitors.sums, input_signature=shapes, jit_compile=compiled)
    for size in (5, 2):
        found = monitors.results(np.asarray(step(truth[:size], predicted[:size]), float))
        exact = monitors.results(np.asarray(monitors.sums(truth[:size], predicted[:size]), float))
        # Compiled logarithms may put a score at a border into the next bin.
        assert found == pytest.approx(exact, abs=2e-3)
