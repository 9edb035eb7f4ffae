"""How many calculations a network is, and that few are left to one thread."""

import math
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from dlae_core.engines.openvino import FEW_MULTIPLICATIONS, OpenVinoEngine, multiplications


def _network(side: int, filters: int) -> openvino.Model:
    """Returns a convolution, a transposed one and a dense layer; images (side, side, 2)."""
    image = ops.parameter([-1, 2, side, side], np.float32)
    weights = np.ones((filters, 2, 3, 3), np.float32)
    plain = ops.convolution(image, weights, [1, 1], [1, 1], [1, 1], [1, 1])
    back = np.ones((filters, 4, 2, 2), np.float32)
    larger = ops.convolution_backprop_data(
        plain, back, strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1]
    )
    mean = ops.reduce_mean(larger, np.array([2, 3]))
    dense = ops.matmul(mean, np.ones((4, 5), np.float32), False, False)
    return openvino.Model([ops.relu(dense)], [image], "network")


def test_multiplications_are_those_of_weights_at_every_place() -> None:
    convolution = 9 * 2 * 7 * (6 * 6)
    transposed = 4 * 7 * 4 * (6 * 6)
    assert multiplications(_network(6, 7)) == convolution + transposed + 4 * 5


def test_an_open_space_is_any_number_of_calculations() -> None:
    image = ops.parameter([-1, 1, -1, -1], np.float32)
    weights = np.ones((1, 1, 3, 3), np.float32)
    out = ops.convolution(image, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    assert multiplications(openvino.Model([out], [image], "open")) == math.inf


@pytest.mark.parametrize(("side", "few"), [(8, True), (256, False)])
def test_few_calculations_are_left_to_one_thread(tmp_path: Path, side: int, few: bool) -> None:
    network = _network(side, 8)
    assert (multiplications(network) < FEW_MULTIPLICATIONS) == few
    openvino.save_model(network, tmp_path / "network.xml")
    engine = OpenVinoEngine(tmp_path / "network.xml", threads=2)
    used = engine._request.get_compiled_model().get_property("INFERENCE_NUM_THREADS")
    assert used == (1 if few else 2)
