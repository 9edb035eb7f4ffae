"""What an epoch has summed up so far."""

import numpy as np
from numpy.typing import NDArray

from dlae_core.monitors import Monitors

Float64 = NDArray[np.float64]


class Sums:
    """The loss of each sample and the monitors' sums, added up over batches.

    Attributes:
        monitors: Say what is summed up besides the loss.
        total: float64 (1 + monitors.size,).
        count: Samples.
    """

    def __init__(self, monitors: Monitors) -> None:
        self.monitors = monitors
        self.clear()

    def clear(self) -> None:
        """Begins anew."""
        self.total: Float64 = np.zeros(1 + self.monitors.size)
        self.count = 0

    def restore(self, total: Float64, count: int) -> None:
        """Goes on from earlier sums."""
        self.total, self.count = total.copy(), count

    def add(self, sums: Float64, count: int) -> None:
        """Adds a batch.

        Args:
            sums: float64 (1 + monitors.size,), the batch's mean loss first.
            count: Its samples.
        """
        self.total[0] += sums[0] * count
        self.total[1:] += sums[1:]
        self.count += count

    def metrics(self) -> dict[str, float]:
        """Returns means over all samples so far; the loss is weighted by batch size."""
        loss = float(self.total[0] / self.count)
        return {"loss": loss, **self.monitors.results(self.total[1:])}
