"""Epochs of several batches, the last one smaller."""

from collections.abc import Iterator

import numpy as np

from dlae_core.monitors import Monitors


def batches(*arrays: np.ndarray, size: int = 4) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields batches of a size, and one of what is left."""
    for start in range(0, len(arrays[0]), size):
        yield tuple(array[start : start + size] for array in arrays)


def results_of(
    monitors: Monitors, truth: np.ndarray, predicted: np.ndarray, size: int = 4
) -> dict[str, float]:
    """Returns the metrics of an epoch."""
    total = np.zeros(monitors.size)
    for batch in batches(truth, predicted, size=size):
        sums = np.asarray(monitors.sums(*batch))
        assert sums.shape == (monitors.size,)
        assert sums.dtype == np.float32
        total += sums
    return monitors.results(total)


def target(kind: str, labels: np.ndarray, classes: int = 3) -> np.ndarray:
    """Returns class numbers (*shape) as a target, `one_hot` or `sparse`."""
    if kind == "sparse":
        return labels[..., np.newaxis].astype(np.int32)
    return np.eye(classes, dtype=np.float32)[labels]


def probabilities(
    labels: np.ndarray, classes: int, skill: float, random: np.random.Generator
) -> np.ndarray:
    """Returns float32 (*shape, classes), right the more often the more skill."""
    logits = random.normal(0, 1, (*labels.shape, classes)) + skill * np.eye(classes)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return scores.astype(np.float32)
