"""The area under the receiver operating characteristic, from histograms of scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from dlae_core.monitors.counting import joined_counts, split_counts
from dlae_core.monitors.monitor import Float64, Monitor, Truth
from dlae_core.monitors.regions import of_classes

# Without pairs of one in the class and one outside there is nothing to rank.
NO_INFORMATION = 0.5
_BINS, _FEW_BINS, _MOST_CLASSES_WITH_ALL_BINS = 4096, 256, 32
# Scores are told apart down to this distance from 0 and 1.
_SMALLEST = 2.0**-24
_LOGITS = float(np.log(1 / _SMALLEST - 1))


def auc_monitor(truth: Truth, classes: int) -> Monitor:
    """Returns `auc`: the share of pairs, one in a class and one not, whose scores are in order.

    Of two classes that of class 1. Of more, the mean of each class against the rest, and
    `auc_<class>` for each. Scores are outputs as they are, clipped to 0..1.

    Exact but for pairs whose scores fall into one bin: those count half, as ties do. Bins are
    narrower than 5e-4 and than 1.7 % of the distance to 0 or 1 (for more than 32 classes, than 8e-3
    and 27 %): half of the scale is even, half is even in the logit. Counts are those of the whole
    epoch, up to 2^31 pixels per batch.

    Args:
        truth: Turns a target into one-hot classes.
        classes: Number of classes.
    """
    scored = range(1, 2) if classes == 2 else range(classes)
    bins = _BINS if classes <= _MOST_CLASSES_WITH_ALL_BINS else _FEW_BINS
    size = len(scored) * 2 * bins

    def sums(y_true: Any, y_pred: Any) -> Any:
        # First of what is outside of the class, then of what is in it, class by class.
        first = 2 * np.arange(len(scored), dtype=np.int32)
        rows = ops.cast(_flat(truth(y_true), scored), "int32") + first
        places = rows * bins + _bin(_flat(y_pred, scored), bins)
        places = ops.reshape(places, (-1,))
        # Whole numbers: additions of 1 to a float32 end at 2^24.
        counts = ops.segment_sum(ops.ones_like(places), places, num_segments=size)
        return split_counts(counts)

    def results(total: Float64) -> dict[str, float]:
        counts = joined_counts(total).reshape(len(scored), 2, bins)
        values = np.array([_area(outside, inside) for outside, inside in counts])
        everywhere = range(len(values))
        return of_classes("auc", values, everywhere, len(values) > 1, NO_INFORMATION)

    return Monitor(2 * size, sums, results)


def _flat(values: Any, scored: Sequence[int]) -> Any:
    """Returns the scored classes of (batch, *space, classes) as (pixels, scored)."""
    return ops.reshape(values[..., scored[0] :], (-1, len(scored)))


def _bin(scores: Any, bins: int) -> Any:
    """Returns the bin of each score, int32, rising with the score."""
    even = ops.clip(scores, 0.0, 1.0)
    inner = ops.clip(even, _SMALLEST, 1 - _SMALLEST)
    logits = ops.log(inner) - ops.log1p(-inner)
    place = (even + logits / (2 * _LOGITS) + 0.5) / 2
    return ops.cast(ops.clip(ops.floor(place * bins), 0, bins - 1), "int32")


def _area(outside: Float64, inside: Float64) -> float:
    """Returns the share of ordered pairs, ties counted half; NaN without pairs."""
    pairs = outside.sum() * inside.sum()
    below = np.cumsum(outside) - outside / 2
    return float((inside * below).sum() / pairs) if pairs else float("nan")
