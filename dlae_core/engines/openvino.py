"""OpenVINO: the fastest engine on processors."""

import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.errors import CorruptArtifact

# OpenVINO tells its makers of every import, unless its telemetry is not there: hospitals' servers
# call nobody.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

# Below so many multiplications an image, one thread is as fast: others would take up to ten times
# the processor time of the network itself, most of it waiting for the next call, of a core that
# the rest of a server needs.
FEW_MULTIPLICATIONS = 10_000_000
# What the images calculated at once may fill for each thread, between two layers: some times the
# second-level cache of a core. A batch that fills more takes up to a fifth longer; one cut into
# much smaller parts loses as much to waking the threads for each.
CACHE_BYTES = 4 << 20
# Operation -> whether weights are applied at each place of its output, or else of its input.
_APPLY_WEIGHTS = {
    "Convolution": True,
    "GroupConvolution": True,
    "ConvolutionBackpropData": False,
    "GroupConvolutionBackpropData": False,
}


class OpenVinoEngine:
    """Runs an ONNX file or a file of OpenVINO's own, for any batch size."""

    def __init__(self, path: Path, threads: int | None = None, hint: str = "f32") -> None:
        """Loads the network.

        Args:
            path: An `.onnx` or `.xml` file.
            threads: That it may use; None: as many as there are cores. A network with few
                calculations uses one.
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
        core = openvino.Core()
        try:
            network = core.read_model(str(path))
            if multiplications(network) < FEW_MULTIPLICATIONS:
                threads = 1
            if threads is not None:
                settings["INFERENCE_NUM_THREADS"] = threads
            compiled = core.compile_model(network, "CPU", settings)
        except RuntimeError as error:
            raise CorruptArtifact.of_file(path, "cannot be loaded by OpenVINO") from error
        self._request = compiled.create_infer_request()
        used: int = compiled.get_property("INFERENCE_NUM_THREADS")
        self._together = images_in_cache(network, CACHE_BYTES * used)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...)."""
        batch = np.ascontiguousarray(batch)
        if len(batch) <= self._together:
            return self._run(batch)
        parts = np.array_split(batch, math.ceil(len(batch) / self._together))
        return np.concatenate([self._run(part) for part in parts])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = self._request.infer(batch, share_inputs=True)[0]
        return result


def multiplications(network: openvino.Model) -> float:
    """Returns the multiplications by weights of one image; infinite where its space is open."""
    return math.fsum(_multiplications(one) for one in network.get_ops())


def images_in_cache(network: openvino.Model, cache: int) -> int:
    """Returns how many images a cache holds between two layers, at least one.

    Args:
        network: Where the space of any layer is open, all images of a batch are one part.
        cache: In bytes.
    """
    outputs = (output for one in network.get_ops() for output in one.outputs())
    largest = max(map(_bytes_per_image, outputs), default=0.0)
    return max(int(cache // largest), 1) if 0 < largest < math.inf else sys.maxsize


def _bytes_per_image(array: openvino.Output) -> float:
    """Returns the bytes of an image between two layers; 0 of what no image changes."""
    shape = array.get_partial_shape()
    if shape.rank.is_dynamic or not len(shape) or next(iter(shape)).is_static:
        return 0.0
    size: int = array.get_element_type().size
    return _product(array, 1) * size


def _multiplications(operation: openvino.Node) -> float:
    name = operation.get_type_name()
    if name == "MatMul":
        return _product(operation.input(1))
    if name not in _APPLY_WEIGHTS:
        return 0.0
    image = operation.output(0) if _APPLY_WEIGHTS[name] else operation.input(0)
    return _product(operation.input(1)) * _product(image, 2)


def _product(array: "openvino.Input | openvino.Output", first: int = 0) -> float:
    """Returns the product of the lengths of axes from a first one on."""
    axes = list(array.get_partial_shape())[first:]
    lengths = [axis.get_length() if axis.is_static else math.inf for axis in axes]
    return math.prod(lengths) if 0 not in lengths else 0.0


def load(path: Path, threads: int | None = None, precision: str = "float32") -> OpenVinoEngine:
    """Loads a network to calculate in a precision; see `OpenVinoEngine`."""
    return OpenVinoEngine(path, threads, "bf16" if precision == "bfloat16" else "f32")


def calculates(precision: str) -> bool:
    """Returns whether this processor has instructions for a precision; where not, it is slower."""
    return precision != "bfloat16" or "BF16" in openvino.Core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    )
