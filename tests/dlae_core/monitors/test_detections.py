"""The metrics of detectors against their definitions."""

import numpy as np
import pytest

from dlae.v1.config_pb2 import Monitors as Settings
from dlae_core.monitors.detections import detection_monitors
from tests.dlae_core.monitors.epochs import batches, results_of

pytestmark = pytest.mark.keras

ANCHORS, CLASSES = 30, 3


def _epoch(objects: bool = True) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    labels = random.integers(0, CLASSES, (6, ANCHORS)) if objects else np.zeros((6, ANCHORS), int)
    neutral = random.random((6, ANCHORS, 1)) < 0.1
    truth = np.where(neutral & (labels[..., np.newaxis] == 0), 0, np.eye(CLASSES)[labels])
    logits = random.normal(0, 1, truth.shape) + truth
    found = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    boxes = random.normal(0, 1, (2, 6, ANCHORS, 12))
    return tuple(
        np.concatenate([classes, rows], axis=-1).astype(np.float32)
        for classes, rows in ((truth, boxes[0]), (found, boxes[1]))
    )


def _terms(truth: np.ndarray, found: np.ndarray, negatives: int) -> np.ndarray:
    """Returns classification and localization of one batch, anchor by anchor."""
    lost, empty, distance, count = 0.0, [], 0.0, 0
    for wanted, given in zip(truth.reshape(-1, 15), found.reshape(-1, 15), strict=True):
        kind = int(wanted[:3].argmax()) if wanted[:3].any() else None
        if kind == 0:
            empty.append(-np.log(given[0]))
        elif kind is not None:
            lost -= np.log(given[kind])
            count += 1
            for difference in np.abs(wanted[3:7] - given[3:7]):
                distance += 0.5 * difference**2 if difference < 1 else difference - 0.5
    hardest = sorted(empty, reverse=True)[: negatives * count]
    return np.array([lost + sum(hardest), distance]) / max(1, count)


def test_terms_of_the_loss_are_means_over_samples() -> None:
    truth, found = _epoch()
    results = results_of(detection_monitors(Settings(), 2.0), truth, found)
    parts = [(len(one), _terms(one, two, 2)) for one, two in batches(truth, found)]
    expected = sum(count * terms for count, terms in parts) / 6
    assert list(results) == ["classification_loss", "localization_loss"]
    np.testing.assert_allclose(list(results.values()), expected, rtol=1e-5)


def test_accuracy_is_that_of_the_anchors_of_objects() -> None:
    truth, found = _epoch()
    objects = truth[..., 1:3].any(-1)
    right = found[objects][:, :3].argmax(-1) == truth[objects][:, :3].argmax(-1)
    results = results_of(detection_monitors(Settings(accuracy_switch=True), 3.0), truth, found)
    assert results["accuracy"] == pytest.approx(right.mean())


def test_without_objects_there_is_nothing_to_class_wrongly() -> None:
    results = results_of(detection_monitors(Settings(accuracy_switch=True), 3.0), *_epoch(False))
    expected = {"classification_loss": 0.0, "localization_loss": 0.0, "accuracy": 1.0}
    assert results == expected
