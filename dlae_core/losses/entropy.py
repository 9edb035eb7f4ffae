"""Cross-entropy losses on probabilities. Class axis last; natural logarithms.

Where class weights are given, each pixel counts as much as the class that it has in truth.
"""

from typing import Any

from keras import ops

EPSILON = 1e-7


def categorical_crossentropy(y_true: Any, y_pred: Any, weights: Any = None) -> Any:
    """Returns the mean over pixels of `-sum_c w_c y ln q`, scalar; q = p / sum p, clipped by 1e-7.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        weights: w, float32 (classes,). None: 1.
    """
    return -ops.mean(ops.sum(_weighted(y_true, weights) * ops.log(_probabilities(y_pred)), axis=-1))


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, weights: Any = None) -> Any:
    """Returns the mean over pixels of the negative log-softmax of `ln clip(p)` at the truth.

    Args:
        y_true: int32 (batch, *space, 1), class numbers.
        y_pred: float32 (batch, *space, classes), probabilities.
        weights: float32 (classes,). None: 1.
    """
    logits = ops.log(ops.clip(y_pred, EPSILON, 1 - EPSILON))
    labels = ops.squeeze(y_true, -1)
    entropy = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.mean(entropy if weights is None else entropy * ops.take(weights, labels))


def focal(y_true: Any, y_pred: Any, alpha: float, gamma: float, weights: Any = None) -> Any:
    """Returns the mean over pixels of `-alpha sum_c w_c (1 - q)^gamma y ln q`, scalar.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        alpha: One factor for all classes.
        gamma: Exponent.
        weights: w, float32 (classes,). None: 1.

    Reference: Lin et al. (2017), Focal loss for dense object detection.
    Differs: alpha does not depend on the class, as in DLAE 1.0; alpha_t of the paper is alpha times
    the class weight.
    """
    q = _probabilities(y_pred)
    hardness = ops.power(1 - q, gamma)
    return -alpha * ops.mean(ops.sum(hardness * _weighted(y_true, weights) * ops.log(q), axis=-1))


def _weighted(y_true: Any, weights: Any) -> Any:
    return y_true if weights is None else y_true * weights


def _probabilities(y_pred: Any) -> Any:
    total = ops.maximum(ops.sum(y_pred, axis=-1, keepdims=True), EPSILON)
    return ops.clip(y_pred / total, EPSILON, 1 - EPSILON)
