"""Metrics of the regions that classes take: true and false positives and negatives of an epoch.

All are of counts over the whole epoch, not means over batches or samples: a class that is rare
counts with all of its pixels and no batch counts for being without any.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from dlae_core.monitors.counting import joined_counts, split_counts
from dlae_core.monitors.monitor import Float64, Monitor, Truth

# Networks of more classes report means only: a history with thousands of columns serves nobody.
MOST_CLASSES_TOLD = 32


class Counts(NamedTuple):
    """Pixels of each class over an epoch, float64 (classes,).

    Attributes:
        overlap: In truth and prediction.
        truth: In truth.
        prediction: In the prediction.
    """

    overlap: Float64
    truth: Float64
    prediction: Float64


Measure = Callable[[Counts], tuple[Float64, Float64]]


def dice(counts: Counts) -> tuple[Float64, Float64]:
    """Returns numerator and denominator of `2 TP / (2 TP + FP + FN)`."""
    return 2 * counts.overlap, counts.truth + counts.prediction


def intersection_over_union(counts: Counts) -> tuple[Float64, Float64]:
    """Returns numerator and denominator of `TP / (TP + FP + FN)`."""
    return counts.overlap, counts.truth + counts.prediction - counts.overlap


def sensitivity(counts: Counts) -> tuple[Float64, Float64]:
    """Returns numerator and denominator of `TP / (TP + FN)`."""
    return counts.overlap, counts.truth


def specificity(counts: Counts) -> tuple[Float64, Float64]:
    """Returns numerator and denominator of `TN / (TN + FP)`."""
    outside = counts.truth.sum() - counts.truth
    return outside - counts.prediction + counts.overlap, outside


MEASURES: Mapping[str, Measure] = {
    "dice": dice,
    "iou": intersection_over_union,
    "sensitivity": sensitivity,
    "specificity": specificity,
}


def region_monitor(
    truth: Truth, classes: int, mean_of: Sequence[int], told: Mapping[str, bool]
) -> Monitor:
    """Returns metrics of regions; pixels count for the class of their largest output.

    Args:
        truth: Turns a target into one-hot classes.
        classes: Number of classes.
        mean_of: Classes that the mean, which has the measure's own name, is taken over.
        told: Measures, each with whether `<measure>_<class>` is told of every class as well.
    """

    def sums(y_true: Any, y_pred: Any) -> Any:
        expected = truth(y_true)
        found = ops.one_hot(ops.argmax(y_pred, -1), classes, dtype="float32")
        # Of each sample first: its pixels are fewer than 2^24.
        space = tuple(range(1, len(y_pred.shape) - 1))
        counts = [ops.sum(one, space) for one in (expected * found, expected, found)]
        return ops.sum(split_counts(ops.concatenate(counts, axis=-1)), axis=0)

    def results(total: Float64) -> dict[str, float]:
        counts = Counts(*np.split(joined_counts(total), 3))
        found: dict[str, float] = {}
        for name, of_every_class in told.items():
            part, whole = MEASURES[name](counts)
            found.update(of_classes(name, _ratios(part, whole), mean_of, of_every_class))
        return found

    return Monitor(6 * classes, sums, results)


def of_classes(
    name: str, values: Float64, mean_of: Sequence[int], of_every_class: bool, empty: float = 1.0
) -> dict[str, float]:
    """Returns the mean of a metric and, where asked for, its value for every class.

    Args:
        name: Of the metric.
        values: float64 (classes,), NaN where there is nothing to measure.
        mean_of: Classes that the mean is taken over; those with nothing to measure are left out.
        of_every_class: Whether to add `<name>_<class>`.
        empty: Takes the place of NaN.
    """
    chosen = values[list(mean_of)]
    known = chosen[~np.isnan(chosen)]
    found = {name: float(known.mean()) if known.size else empty}
    if of_every_class and len(values) <= MOST_CLASSES_TOLD:
        for number, value in enumerate(np.nan_to_num(values, nan=empty)):
            found[f"{name}_{number}"] = float(value)
    return found


def _ratios(part: Float64, whole: Float64) -> Float64:
    ratios: Float64 = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios
