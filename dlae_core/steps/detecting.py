"""Steps of a detector: its output leaves the graph where boxes are to be made of it."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.steps.compiled import Float32, Float64
from dlae_core.steps.supervised import SupervisedSteps


class DetectingSteps(SupervisedSteps):
    """Minimizes a detector's loss."""

    def evaluate_with_output(
        self, images: Float32, targets: NDArray[Any]
    ) -> tuple[Float64, Float32]:
        """Measures one batch as `evaluate` does; returns what the network gave, too.

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
        """
        sums, output = self._run(self._evaluate_with_output_batch, images, targets)
        return np.asarray(sums, dtype=np.float64), np.asarray(output, dtype=np.float32)

    def _evaluate_with_output_batch(self, images: Any, targets: Any) -> Any:
        return self._replicas.run(self._evaluate_with_output_step, images, targets)

    def _evaluate_with_output_step(self, images: Any, targets: Any) -> tuple[Any, Any]:
        output = self._replicas.whole(self._model(images, training=False))
        sums = self._sums(self._total(targets, output), targets, output)
        return sums, tf.cast(output, tf.float32)
