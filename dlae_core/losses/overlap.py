"""Losses of overlap between regions. Class axis last; sums run over the whole batch."""

from typing import Any

from keras import ops

from dlae_core.losses.reduction import all_but_last

EPSILON = 1e-7


def tversky(y_true: Any, y_pred: Any, false_positives: float, false_negatives: float) -> Any:
    """Returns `C - sum_c T_c`, `T_c = TP / (TP + a FP + b FN)`, scalar in 0..C.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        false_positives: Weight a.
        false_negatives: Weight b.

    Reference: Salehi, Erdogmus, Gholipour (2017), Tversky loss function for image segmentation.
    Differs: 1e-7 is added to numerator and denominator, so that a class absent from truth and
    prediction counts as a perfect match instead of NaN (F9).
    """
    axes = all_but_last(y_pred)
    true_positive = ops.sum(y_true * y_pred, axis=axes)
    false_positive = ops.sum(y_pred * (1 - y_true), axis=axes)
    false_negative = ops.sum(y_true * (1 - y_pred), axis=axes)
    whole = true_positive + false_positives * false_positive + false_negatives * false_negative
    return ops.sum(1 - (true_positive + EPSILON) / (whole + EPSILON))


def jaccard(y_true: Any, y_pred: Any, smoothing: float, weights: Any = None) -> Any:
    """Returns the mean over pixels of `s (1 - (I + s) / (S - I + s))`, scalar.

    `I` and `S` sum over the classes of one pixel: this is the pixel-wise form of DLAE 1.0.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        smoothing: s, also an overall factor.
        weights: Of a pixel by its class in truth, float32 (classes,). None: 1.
    """
    intersection = ops.sum(ops.abs(y_true * y_pred), axis=-1)
    total = ops.sum(ops.abs(y_true) + ops.abs(y_pred), axis=-1)
    union = ops.maximum(total - intersection + smoothing, EPSILON)
    distance = (1 - (intersection + smoothing) / union) * smoothing
    return ops.mean(distance if weights is None else distance * ops.sum(y_true * weights, axis=-1))


def jaccard_set(y_true: Any, y_pred: Any, smoothing: float) -> Any:
    """Returns the mean over classes of `1 - (I_c + s) / (U_c + s)`, scalar in 0..1.

    `I_c = sum(y p)` and `U_c = sum(y + p - y p)` sum over batch and space: intersection and union
    of the sets of pixels, as the manual of DLAE 1.0 has it.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        smoothing: s; at least 1e-7.

    Reference: Rahman, Wang (2016), Optimizing intersection-over-union in deep neural networks for
    image segmentation.
    Differs: DLAE 1.0 has the pixel-wise form only (F8), which is `jaccard`.
    """
    axes, added = all_but_last(y_pred), max(smoothing, EPSILON)
    intersection = ops.sum(y_true * y_pred, axis=axes)
    union = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) - intersection
    return ops.mean(1 - (intersection + added) / (union + added))


def soft_dice(y_true: Any, y_pred: Any, smoothing: float) -> Any:
    """Returns `1 - (2 sum(y p) + s) / (sum y + sum p + s)` over batch, space and classes, scalar.

    Where outputs sum to 1 this is 1 minus the mean probability of the true class: as the pixel-wise
    Jaccard, it does not make up for rare classes. Tversky and the set-wise Jaccard do.

    Args:
        y_true: float32 (batch, *space, classes), one-hot.
        y_pred: float32 (batch, *space, classes), probabilities.
        smoothing: s; at least 1e-7.

    Reference: Milletari, Navab, Ahmadi (2016), V-Net.
    """
    added = max(smoothing, EPSILON)
    overlap = 2 * ops.sum(y_true * y_pred) + added
    return 1 - overlap / (ops.sum(y_true) + ops.sum(y_pred) + added)
