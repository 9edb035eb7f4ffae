"""How many calculations a network is, and that few are left to one thread."""

import math
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from dlae_core.engines import openvino as engines
from dlae_core.engines.openvino import (
    FEW_MULTIPLICATIONS,
    OpenVinoEngine,
    images_in_cache,
    multiplications,
)


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


def test_as_many_images_go_at_once_as_a_cache_holds_of_the_largest_layer() -> None:
    # Of 7 filters: 4 layers of 12 x 12 behind the transposed convolution, 7 of 6 x 6 before it.
    largest = 4 * 4 * (12 * 12)
    network = _network(6, 7)
    for images in (1, 2, 5):
        assert images_in_cache(network, largest * images) == images
        assert images_in_cache(network, largest * (images + 1) - 1) == images
    assert images_in_cache(network, 10) == 1


def test_a_batch_that_is_cut_has_the_numbers_of_each_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = ops.parameter([-1, 4], np.float32)
    weights = np.arange(12, dtype=np.float32).reshape(4, 3)
    network = openvino.Model([ops.matmul(image, weights, False, False)], [image], "network")
    openvino.save_model(network, tmp_path / "network.xml", compress_to_fp16=False)
    batch = np.random.default_rng(1).integers(-9, 9, (7, 4)).astype(np.float32)
    for images in (1, 2, 3, 7, 9):
        monkeypatch.setattr(engines, "CACHE_BYTES", images * 4 * 4)
        engine = OpenVinoEngine(tmp_path / "network.xml", threads=1)
        assert engine._together == images
        for count in range(1, 8):
            np.testing.assert_array_equal(engine.run(batch[:count]), batch[:count] @ weights)
