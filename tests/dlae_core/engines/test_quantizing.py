"""Networks in 8 bits: near float32 on both engines, and in float32 at both ends."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from dlae_core.engines.exporting import export_engines
from dlae_core.engines.onnxruntime import OnnxRuntimeEngine
from dlae_core.engines.openvino import OpenVinoEngine
from dlae_core.engines.quantizing import write_int8
from tests.dlae_core.engines.networks import PLANES, VOLUMES, detector, images, network

pytestmark = pytest.mark.keras


def _written(name: str, folder: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """Returns the file of a network in 8 bits, images, and its output for them in float32."""
    model = {"planes": lambda: network(PLANES), "volumes": lambda: network(VOLUMES)}.get(
        name, detector
    )()
    some = images(model, 8)
    export_engines(folder, model, some[:1])
    write_int8(folder / "model.onnx", folder / "int8.onnx", some)
    return folder / "int8.onnx", some, np.asarray(model(some, training=False))


@pytest.mark.parametrize("name", ["planes", "volumes", "detector"])
def test_a_network_in_8_bits_is_near_float32_on_both_engines(name: str, tmp_path: Path) -> None:
    path, some, expected = _written(name, tmp_path)
    for engine in (OpenVinoEngine(path), OnnxRuntimeEngine(path)):
        output = engine.run(some)
        assert output.shape == expected.shape
        # 255 steps for the range of each layer; float32 would be below 1e-5.
        error = np.abs(output - expected).mean() / np.abs(expected).mean()
        assert 1e-4 < error < 0.05


def test_the_layers_at_both_ends_stay_in_float32(tmp_path: Path) -> None:
    graph = onnx.load(_written("detector", tmp_path)[0]).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    reduced = {
        node.name.split("/")[1]
        for node in graph.node
        if node.op_type == "Conv" and makers.get(node.input[1]) == "DequantizeLinear"
    }
    # Of the second layer and of the scaling; neither of the first layer nor of the four heads.
    assert reduced == {"item003_convolution_1", "hook0_scaling_1"}
