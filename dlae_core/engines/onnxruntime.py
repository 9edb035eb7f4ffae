"""ONNX Runtime: an engine where OpenVINO is not to be had."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as faults

from dlae_core.errors import CorruptArtifact

_UNUSABLE = (
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NoSuchFile,
    faults.NotImplemented,
    faults.RuntimeException,
)


class OnnxRuntimeEngine:
    """Runs an ONNX file for any batch size."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Loads the network.

        Args:
            path: An `.onnx` file.
            threads: That it may use; None: as many as there are cores.

        Raises:
            CorruptArtifact: The file is none that ONNX Runtime can load.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 4
        # Threads that wait in a loop take the cores of the other models' processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except _UNUSABLE as error:
            raise CorruptArtifact.of_file(path, "cannot be loaded by ONNX Runtime") from error
        self._path = path
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...).

        Raises:
            CorruptArtifact: ONNX Runtime cannot run what it has loaded.
        """
        try:
            outputs = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        except _UNUSABLE as error:
            raise CorruptArtifact.of_file(self._path, "cannot be run by ONNX Runtime") from error
        result: NDArray[np.float32] = outputs[0]
        return result


def load(path: Path, threads: int | None = None) -> OnnxRuntimeEngine:
    """Loads a network; see `OnnxRuntimeEngine`."""
    return OnnxRuntimeEngine(path, threads)
