"""Predictions to try losses on, and losses with their derivatives."""

import json
from functools import cache
from typing import Any

import numpy as np

from dlae_core.losses import Loss
from tests.reference import reference_path

Pair = tuple[np.ndarray, np.ndarray]

# Appendix B.1 of the specification: batch 1, 2 x 2 pixels, two classes.
TRUTH = np.array([[[0, 1], [0, 1]]])
ONE_HOT = np.eye(2, dtype=np.float32)[TRUTH]
SECOND = np.array([[[0.1, 0.7], [0.4, 0.9]]], np.float32)
PREDICTED = np.stack([1 - SECOND, SECOND], axis=-1)

KINDS = ("soft", "good", "emptyclass", "perfect", "allwrong", "unnorm", "oneclassperfect")


@cache
def golden_arrays() -> dict[str, np.ndarray]:
    """Returns the arrays of golden/losses.npz."""
    with np.load(reference_path("golden", "losses.npz")) as file:
        return dict(file)


@cache
def golden_cases() -> dict[str, dict[str, Any]]:
    """Returns the cases of golden/losses.json."""
    return json.loads(reference_path("golden", "losses.json").read_text())


def golden_pair(name: str, sparse: bool = False) -> Pair:
    """Returns truth, one-hot or as class numbers, and prediction of a golden input."""
    arrays, place = golden_arrays(), f"inputs/{name}"
    predicted = arrays[f"{place}/y_pred"]
    if sparse:
        return arrays[f"{place}/labels"][..., np.newaxis].astype(np.int32), predicted
    return arrays[f"{place}/y_true"], predicted


def random_pair(space: tuple[int, ...], classes: int = 3, seed: int = 0) -> Pair:
    """Returns class numbers (4, *space) and float64 probabilities (4, *space, classes)."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, classes, (4, *space))
    logits = random.normal(0, 2, (*numbers.shape, classes))
    return numbers, np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


def value_and_gradient(
    loss: Loss, truth: np.ndarray, predicted: np.ndarray, kind: str = "float32"
) -> tuple[float, np.ndarray]:
    """Returns a loss and its derivative by the prediction, computed from numbers of some kind."""
    import tensorflow as tf

    output = tf.cast(predicted, kind)
    with tf.GradientTape() as tape:
        tape.watch(output)
        value = loss(truth, output)
    assert value.dtype == tf.float32
    return float(value), np.asarray(tf.cast(tape.gradient(value, output), tf.float32))
