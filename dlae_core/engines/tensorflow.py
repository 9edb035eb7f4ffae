"""The reference engine: TensorFlow runs the network as Keras saved it."""

from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.errors import CorruptArtifact


class TensorFlowEngine:
    """Runs a `.keras` file as one compiled function for any batch size."""

    def __init__(self, path: Path) -> None:
        """Loads the network.

        Raises:
            CorruptArtifact: The file is no model that can be loaded safely.
        """
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptArtifact.of_file(path, "cannot be loaded") from error
        signature = [tf.TensorSpec(model.input_shape, tf.float32)]
        self._forward = tf.function(
            lambda batch: model(batch, training=False), input_signature=signature
        )

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...)."""
        return np.asarray(self._forward(batch), dtype=np.float32)


def load(path: Path, threads: int | None = None) -> TensorFlowEngine:
    """Loads a network.

    Args:
        path: A `.keras` file.
        threads: That TensorFlow may use, unless it is running already; None: as many as there are
            cores.

    Raises:
        CorruptArtifact: The file is no model that can be loaded safely.
    """
    if threads is not None:
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    return TensorFlowEngine(path)
