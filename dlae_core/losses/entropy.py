"""Cross-entropy losses on probabilities. Class axis last; natural logarithms."""

from typing import Any

from keras import ops

EPSILON = 1e-7


def categorical_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean over pixels of `-sum_c y ln q`, scalar; q = p / sum p, clipped by 1e-7.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
    """
    return -ops.mean(ops.sum(y_true * ops.log(_probabilities(y_pred)), axis=-1))


def weighted_categorical_crossentropy(y_true: Any, y_pred: Any, weights: Any) -> Any:
    """Returns the mean over pixels of `-sum_c w_c y ln q`, scalar.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        weights: float32 (classes,).
    """
    return -ops.mean(ops.sum(weights * y_true * ops.log(_probabilities(y_pred)), axis=-1))


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean over pixels of the negative log-softmax of `ln clip(p)` at the truth.

    Args:
        y_true: int32 (batch, *space, 1), class numbers.
        y_pred: float32 (batch, *space, classes), probabilities.
    """
    logits = ops.log(ops.clip(y_pred, EPSILON, 1 - EPSILON))
    return ops.mean(
        ops.sparse_categorical_crossentropy(ops.squeeze(y_true, -1), logits, from_logits=True)
    )


def focal(y_true: Any, y_pred: Any, alpha: float, gamma: float) -> Any:
    """Returns the mean over pixels of `-alpha sum_c (1 - q)^gamma y ln q`, scalar.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        alpha: One factor for all classes.
        gamma: Exponent.

    Reference: Lin et al. (2017), Focal loss for dense object detection.
    Differs: alpha does not depend on the class, as in DLAE 1.0.
    """
    q = _probabilities(y_pred)
    return -alpha * ops.mean(ops.sum(ops.power(1 - q, gamma) * y_true * ops.log(q), axis=-1))


def _probabilities(y_pred: Any) -> Any:
    total = ops.maximum(ops.sum(y_pred, axis=-1, keepdims=True), EPSILON)
    return ops.clip(y_pred / total, EPSILON, 1 - EPSILON)
