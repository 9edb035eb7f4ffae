"""OpenVINO: the fastest engine on processors."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.errors import CorruptArtifact

# OpenVINO tells its makers of every import, unless its telemetry is not there: hospitals' servers
# call nobody.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402


class OpenVinoEngine:
    """Runs an ONNX file or a file of OpenVINO's own, in float32, for any batch size."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Loads the network.

        Args:
            path: An `.onnx` or `.xml` file.
            threads: That it may use; None: as many as there are cores.

        Raises:
            CorruptArtifact: The file is none that OpenVINO can load.
        """
        # Where the processor has bfloat16, OpenVINO would use it unasked: 1e-2 off.
        settings: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            # Every model's process would be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            compiled = openvino.Core().compile_model(str(path), "CPU", settings)
        except RuntimeError as error:
            raise CorruptArtifact.of_file(path, "cannot be loaded by OpenVINO") from error
        self._request = compiled.create_infer_request()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...)."""
        outputs = self._request.infer(np.ascontiguousarray(batch), share_inputs=True)
        result: NDArray[np.float32] = outputs[0]
        return result


def load(path: Path, threads: int | None = None) -> OpenVinoEngine:
    """Loads a network; see `OpenVinoEngine`."""
    return OpenVinoEngine(path, threads)
