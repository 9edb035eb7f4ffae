"""Detectors: heads, anchors in the output, and files that open without DLAE."""

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlae.v1.config_pb2 import Config
from dlae_core.detection.anchors import anchor_tables
from dlae_core.errors import InvalidConfig
from dlae_core.families.bbd import Bbd
from tests.dlae_core.families.configurations import DETECTION, IMAGE, detector

pytestmark = pytest.mark.keras

HOOK = "Hook connection source"
MAPS = [(8, 8), (4, 4)]
PER_HOOK = "per predictor layer"
OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "two boxes": {"two_boxes_for_AR1_switch": True, "aspect_ratios": [1.0, 2.0, 0.5]},
    "per hook": {
        "scaling_type": PER_HOOK,
        "scales": [0.2, 0.4, 0.9],
        "aspect_ratios_type": PER_HOOK,
        "aspect_ratios": [[1.0, 3.0], [1.0]],
    },
    "placed": {"steps": [1, [2, 2.5]], "offsets": [[0, 1], 0.25], "clip_boxes_switch": True},
    "corners": {"coordinates_type": "corners", "normalize_coordinates_switch": True},
    "minmax": {"coordinates_type": "minmax", "variances": [0.5, 0.25, 1.0, 2.0]},
}


def _model(config: Config) -> keras.Model:
    (network,) = Bbd().networks(config)
    return network.model


def _images(count: int = 2) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("name", OPTIONS)
def test_output_ends_in_the_anchors_and_their_variances(name: str) -> None:
    config = detector(**OPTIONS[name])
    output = np.asarray(_model(config)(_images()))
    tables = anchor_tables(config.bbd_options, (8, 8), MAPS)
    expected = np.concatenate([table.boxes().reshape(-1, 4) for table in tables])
    for image in output:
        np.testing.assert_allclose(image[:, -8:-4], expected, rtol=1e-6)
        np.testing.assert_array_equal(
            image[:, -4:],
            np.broadcast_to(np.float32(config.bbd_options.variances), (len(image), 4)),
        )


def test_rows_are_hook_by_hook_row_by_row_column_by_column_box_by_box() -> None:
    """Heads without kernels predict their biases, the same at every cell."""
    model = _model(detector(number_classes=2, aspect_ratios=[1.0, 2.0]))
    classes, offsets = {}, {}
    for hook in (0, 1):
        for kind, found, length in (("classes", classes, 3), ("offsets", offsets, 4)):
            kernel, bias = model.get_layer(f"hook{hook}_{kind}").weights
            found[hook] = np.random.default_rng(hook).normal(size=(2, length)).astype("float32")
            kernel.assign(np.zeros(kernel.shape))
            bias.assign(found[hook].ravel())
    output = np.asarray(model(_images(1)))[0]
    rows = [np.tile(offsets[hook], (cells, 1)) for hook, cells in ((0, 64), (1, 16))]
    np.testing.assert_array_equal(output[:, 3:7], np.concatenate(rows))
    exponentials = [
        np.exp(np.tile(classes[hook], (cells, 1))) for hook, cells in ((0, 64), (1, 16))
    ]
    powers = np.concatenate(exponentials)
    np.testing.assert_allclose(output[:, :3], powers / powers.sum(-1, keepdims=True), rtol=1e-5)


def test_first_hook_alone_is_brought_to_length_20_at_every_pixel() -> None:
    model = _model(detector([IMAGE, "Dense:3", HOOK, "Dense:3", HOOK]))
    inner = keras.Model(model.input, model.get_layer("hook0_scaling").output)
    dense = model.get_layer("item001_dense")
    features = np.float64(dense(_images()))
    lengths = np.sqrt(np.maximum((features**2).sum(axis=-1, keepdims=True), 1e-12))
    np.testing.assert_allclose(inner(_images()), 20 * features / lengths, rtol=1e-5, atol=1e-5)
    assert "hook1_scaling" not in {layer.name for layer in model.layers}


def test_heads_have_the_weights_of_their_convolutions_and_factors() -> None:
    (network,) = Bbd().networks(detector(number_classes=3, aspect_ratios=[0.5, 1.0, 2.0]))
    summary = network.summary()
    heads = [row.parameters for row in summary.layers if row.type == "Detection head"]
    per_channel = 9 * 3 * (4 + 4)
    assert heads == [3 + 3 * per_channel + 3 * 8, 5 * per_channel + 3 * 8]
    assert summary.output_shape == (3 * (64 + 16), 4 + 4 + 4 + 4)
    assert summary.parameters == sum(row.parameters for row in summary.layers)
    assert [row.inputs for row in summary.layers[-3:]] == [(3,), (6,), (7, 8)]


def test_saved_detector_opens_with_plain_keras_and_is_the_same(tmp_path: Path) -> None:
    model = _model(detector(**OPTIONS["two boxes"], clip_boxes_switch=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(_images()), model(_images()))
    modules = {type(operation).__module__.partition(".")[0] for operation in again.operations}
    assert modules == {"keras"}
    stored = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    assert "Lambda" not in stored
    assert "dlae" not in stored


def test_gradients_are_finite_where_features_are_all_zero() -> None:
    model = _model(detector())
    with tf.GradientTape() as tape:
        output = model(np.zeros((1, 8, 8, 1), "float32"), training=True)
        loss = tf.reduce_sum(output[..., :6] ** 2)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(gradient).all()


def test_one_hook_is_enough() -> None:
    model = _model(detector([*DETECTION[:4]], aspect_ratios=[1.0]))
    assert model.output_shape == (None, 64, 14)


def test_hook_on_a_vector_is_refused_at_its_item() -> None:
    config = detector([IMAGE, "Flatten", "Hook connection source"], aspect_ratios=[1.0])
    with pytest.raises(InvalidConfig) as caught:
        Bbd().networks(config)
    assert caught.value.violations[0].path == "layers.serial_layer_list[2]"


def test_anchors_outside_the_image_are_warned_of() -> None:
    config = detector(steps=[1, 32])
    found = Bbd().warnings(config, Bbd().networks(config))
    assert [(row.path, row.reason) for row in found] == [
        ("bbd_options.steps[1]", "ANCHORS_OUTSIDE")
    ]
    even = detector()
    assert Bbd().warnings(even, Bbd().networks(even)) == []


def test_the_same_network_has_the_same_names_however_many_were_built_before() -> None:
    """Files of equal networks are equal, byte by byte."""
    assert _model(detector()).to_json() == _model(detector()).to_json()
