"""What a monitor is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dlae_core.losses.reduction import full_precision

Float64 = NDArray[np.float64]
Truth = Callable[[Any], Any]


@dataclass(frozen=True)
class Monitor:
    """Metrics that are made of the same sums.

    Attributes:
        size: Number of sums.
        sums: (y_true, y_pred) of a batch to float32 (size,), inside the graph.
        results: float64 (size,) sums of an epoch to metrics by name.
    """

    size: int
    sums: Callable[[Any, Any], Any]
    results: Callable[[Float64], Mapping[str, float]]


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
        truth, output = full_precision(y_true), full_precision(y_pred)
        return ops.concatenate([monitor.sums(truth, output) for monitor in self._monitors])

    def results(self, total: Float64) -> dict[str, float]:
        """Returns the metrics of an epoch from its sums, float64 (size,)."""
        found: dict[str, float] = {}
        start = 0
        for monitor in self._monitors:
            found.update(monitor.results(total[start : start + monitor.size]))
            start += monitor.size
        return found


def mean_of_samples(name: str, of: Callable[[Any, Any], Any]) -> Monitor:
    """Returns a metric that is the mean over all samples of an epoch, as all have one size.

    Args:
        name: Of the metric.
        of: (y_true, y_pred) to the mean of a batch, scalar.
    """

    def sums(y_true: Any, y_pred: Any) -> Any:
        # The mean, not the sum: float32 would not hold the sum of a large volume.
        samples = ops.cast(ops.shape(y_pred)[0], "float32")
        return ops.stack([samples * of(y_true, y_pred), samples])

    return Monitor(2, sums, lambda total: {name: float(total[0] / total[1])})
