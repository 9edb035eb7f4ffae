"""Quantities reported beside the loss.

A monitor turns a batch into a few sums inside the graph and the sums of an epoch into its metrics:
so nothing large leaves the graph, and a metric of the whole epoch is exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Monitors as MonitorSettings
from dlae_core.data.targets import TargetKind
from dlae_core.losses.reduction import all_but_last

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Monitor:
    """One metric.

    Attributes:
        name: Name in the history.
        size: Number of sums.
        sums: (y_true, y_pred) to float32 (size,), inside the graph.
        result: float64 (size,) sums of an epoch to the metric.
    """

    name: str
    size: int
    sums: Callable[[Any, Any], Any]
    result: Callable[[Float64], float]


class Monitors:
    """All metrics of a training, their sums laid end to end.

    Attributes:
        size: Number of sums.
    """

    def __init__(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = tuple(monitors)
        self.size = sum(monitor.size for monitor in monitors)

    def sums(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the sums of a batch, float32 (size,)."""
        if not self._monitors:
            return ops.zeros((0,), "float32")
        return ops.concatenate([monitor.sums(y_true, y_pred) for monitor in self._monitors])

    def results(self, total: Float64) -> dict[str, float]:
        """Returns the metrics of an epoch from its sums, float64 (size,)."""
        found: dict[str, float] = {}
        start = 0
        for monitor in self._monitors:
            found[monitor.name] = monitor.result(total[start : start + monitor.size])
            start += monitor.size
        return found


def build_monitors(
    settings: MonitorSettings, target_kind: TargetKind, per_pixel: bool, classes: int
) -> Monitors:
    """Returns the metrics that suit a task.

    Accuracy is that of class numbers or one-hot targets, whichever there are; Dice is added for
    segmentation.

    Differs: DLAE 1.0 took every target for one-hot (F5).
    """
    truth = _truth(target_kind, classes)
    chosen = (
        (settings.mse_switch, _mean("mean_squared_error", truth, ops.square)),
        (settings.mae_switch, _mean("mean_absolute_error", truth, ops.abs)),
        (settings.accuracy_switch and classes > 0, _accuracy(truth)),
        (per_pixel and classes > 1, _dice(truth, classes)),
    )
    return Monitors([monitor for wanted, monitor in chosen if wanted])


def _truth(target_kind: TargetKind, classes: int) -> Callable[[Any], Any]:
    """Returns what turns a target into the form of the output."""
    if target_kind == "sparse":
        return lambda y_true: ops.one_hot(ops.squeeze(y_true, -1), classes)
    return lambda y_true: y_true


def _mean(name: str, truth: Callable[[Any], Any], of: Callable[[Any], Any]) -> Monitor:
    def sums(y_true: Any, y_pred: Any) -> Any:
        # The mean, not the sum: float32 would not hold the sum of a large volume.
        samples = ops.cast(ops.shape(y_pred)[0], "float32")
        return ops.stack([samples * ops.mean(of(y_pred - truth(y_true))), samples])

    return Monitor(name, 2, sums, _ratio)


def _accuracy(truth: Callable[[Any], Any]) -> Monitor:
    def sums(y_true: Any, y_pred: Any) -> Any:
        right = ops.equal(ops.argmax(truth(y_true), -1), ops.argmax(y_pred, -1))
        samples = ops.cast(ops.shape(y_pred)[0], "float32")
        return ops.stack([samples * ops.mean(ops.cast(right, "float32")), samples])

    return Monitor("accuracy", 2, sums, _ratio)


def _dice(truth: Callable[[Any], Any], classes: int) -> Monitor:
    """Returns the mean over the classes but 0 of `2 TP / (2 TP + FP + FN)` of the whole epoch.

    A class absent from truth and prediction is left out; 1 where all are.
    """

    def sums(y_true: Any, y_pred: Any) -> Any:
        expected = truth(y_true)
        predicted = ops.one_hot(ops.argmax(y_pred, -1), classes)
        axes = all_but_last(y_pred)
        overlap = ops.sum(expected * predicted, axes)
        return ops.concatenate([overlap, ops.sum(expected, axes) + ops.sum(predicted, axes)])

    def result(total: Float64) -> float:
        overlap, sizes = total[1:classes], total[classes + 1 :]
        present = sizes > 0
        return float(np.mean(2 * overlap[present] / sizes[present])) if present.any() else 1.0

    return Monitor("dice", 2 * classes, sums, result)


def _ratio(total: Float64) -> float:
    return float(total[0] / total[1])
