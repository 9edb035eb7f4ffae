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
    """Runs an ONNX file or a file of OpenVINO's own, for any batch size."""

    def __init__(self, path: Path, threads: int | None = None, hint: str = "f32") -> None:
        """Loads the network.

        Args:
            path: An `.onnx` or `.xml` file.
            threads: That it may use; None: as many as there are cores.
            hint: Numbers to calculate with where the file says no fewer bits: `f32` or `bf16`.

        Raises:
            CorruptArtifact: The file is none that OpenVINO can load.
        """
        # Where the processor has bfloat16, OpenVINO would use it unasked: 1e-2 off.
        settings: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": hint,
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


def load(path: Path, threads: int | None = None, precision: str = "float32") -> OpenVinoEngine:
    """Loads a network to calculate in a precision; see `OpenVinoEngine`."""
    return OpenVinoEngine(path, threads, "bf16" if precision == "bfloat16" else "f32")


def calculates(precision: str) -> bool:
    """Returns whether this processor has instructions for a precision; where not, it is slower."""
    return precision != "bfloat16" or "BF16" in openvino.Core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    )
