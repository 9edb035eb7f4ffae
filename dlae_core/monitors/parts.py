"""Parts of a loss, told beside the metrics of what the network gives."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from dlae_core.monitors.monitor import Float64, Monitors


class LossParts(Monitors):
    """Means over the samples of an epoch of some parts of the loss, then other metrics."""

    def __init__(self, names: Sequence[str], others: Monitors) -> None:
        """Lays the sums end to end.

        Args:
            names: Of the parts.
            others: Metrics of target and output.
        """
        super().__init__([])
        self._names = tuple(names)
        self._others = others
        self.size = len(names) + 1 + others.size

    def sums_of_parts(self, parts: Mapping[str, Any], y_true: Any, y_pred: Any) -> Any:
        """Returns the sums of a batch, float32 (size,).

        Args:
            parts: Scalars by name, means over the batch; those that are not told are left out.
            y_true: Target, float32 (batch, ...).
            y_pred: Output, float32 (batch, ...).
        """
        samples = ops.cast(ops.shape(y_pred)[0], "float32")
        told = (ops.cast(parts[name], "float32") for name in self._names)
        own = samples * ops.stack([*told, 1.0])
        return ops.concatenate([own, self._others.sums(y_true, y_pred)])

    def results(self, total: Float64) -> dict[str, float]:
        """Returns the metrics of an epoch from its sums, float64 (size,)."""
        count = len(self._names)
        means = (total[:count] / total[count]).tolist()
        return dict(zip(self._names, means, strict=True)) | self._others.results(total[count + 1 :])
