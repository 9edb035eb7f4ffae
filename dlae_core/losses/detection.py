"""The loss of bounding-box detectors.

Rows of truth and prediction have one column per class, background first, then 12 columns of which
the first four are the offsets: `float32 (batch, anchors, classes + 12)`.
"""

from typing import Any

from keras import ops

from dlae_core.losses.reduction import full_precision

BOX_COLUMNS = 12
_OFFSETS = slice(-BOX_COLUMNS, -BOX_COLUMNS + 4)
# Smallest probability that a logarithm is taken of.
_SMALLEST = 1e-15


def ssd(y_true: Any, y_pred: Any, negatives: float, localization: float) -> Any:
    """Returns `(classification + b localization) / max(1, P)`, scalar, as `ssd_terms` sums them.

    Args:
        y_true: float32 (batch, anchors, classes + 12): one-hot classes, all 0 for an anchor that
            counts nowhere; offsets.
        y_pred: float32 (batch, anchors, classes + 12): probabilities, offsets.
        negatives: Background anchors kept for each object anchor; its fraction is cut off.
        localization: Weight b.

    Reference: Liu et al. (2016), SSD: Single shot multibox detector.
    Differs: P counts the object anchors of the whole batch, as in DLAE 1.0.
    """
    classification, offsets = ssd_terms(y_true, y_pred, negatives)
    return classification + localization * offsets


def ssd_terms(y_true: Any, y_pred: Any, negatives: float) -> tuple[Any, Any]:
    """Returns classification and localization term, scalars, each over max(1, P).

    Classification is the crossentropy of all P object anchors and of the
    `negatives * P` background anchors of the whole batch where it is largest. Localization is the
    smooth L1 distance of the offsets of the object anchors. Both are 0 without any object.
    """
    y_true, y_pred = full_precision(y_true), full_precision(y_pred)
    classes = y_true[..., :-BOX_COLUMNS]
    found = ops.maximum(y_pred[..., :-BOX_COLUMNS], _SMALLEST)
    entropy = -ops.sum(classes * ops.log(found), axis=-1)
    distance = ops.sum(_smooth_l1(y_true[..., _OFFSETS] - y_pred[..., _OFFSETS]), axis=-1)
    objects = ops.max(classes[..., 1:], axis=-1)
    count = ops.sum(objects)
    hardest = _sum_of_largest(entropy * classes[..., 0], int(negatives) * count)
    whole = ops.maximum(count, 1)
    return (ops.sum(entropy * objects) + hardest) / whole, ops.sum(distance * objects) / whole


def _sum_of_largest(values: Any, number: Any) -> Any:
    """Returns the sum of the largest of some values that are not negative.

    Sorting and a mask, unlike a selection, have shapes that do not depend on the data.
    """
    falling = -ops.sort(-ops.reshape(values, (-1,)))
    position = ops.cumsum(ops.ones_like(falling, dtype="int32"))
    return ops.sum(ops.where(position <= ops.cast(number, "int32"), falling, 0.0))


def _smooth_l1(difference: Any) -> Any:
    """Returns `d^2 / 2` where `|d| < 1`, else `|d| - 1/2`."""
    size = ops.abs(difference)
    return ops.where(size < 1, 0.5 * ops.square(difference), size - 0.5)
