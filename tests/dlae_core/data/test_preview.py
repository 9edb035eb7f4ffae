"""Samples as training sees them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.expectation import expectation_from_config
from dlae_core.data.preview import Row, preview, varies
from dlae_core.data.source import PairedFiles, write_samples
from tests.dlae_core.config.examples import sections

RANDOM = np.random.default_rng(8)
MAPS = [np.kron(RANDOM.integers(0, 3, (2, 2)), np.ones((4, 4), int)) for _ in range(3)]
FLIPS = {
    "augmentation__apply_augmentation_switch": True,
    "augmentation__horizontal_flip_switch": True,
    "augmentation__vertical_flip_switch": True,
    "preprocessing__normalization_type": "none",
}
VALUES = {
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
}


def _config(**changes: Any) -> Config:
    return load_config(json.dumps(sections(**changes))).config


def _rows(folder: Path, config: Config, annotations: list[Any], draws: int = 8) -> list[Row]:
    images = [(str(place), 10.0 * one) for place, one in enumerate(MAPS)]
    write_samples(folder / "X.h5", images)
    stored = [(str(place), np.asarray(one)) for place, one in enumerate(annotations)]
    write_samples(folder / "y.h5", stored)
    with PairedFiles(folder / "X.h5", folder / "y.h5") as pairs:
        expected = expectation_from_config(config, pairs.annotations.shape("0"))
        return list(preview(config, expected, pairs, ["0", "2"], draws))


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_label_maps_move_with_their_image(tmp_path: Path, loss: str) -> None:
    changes = {"loss_function__loss": loss, "preprocessing__categorical_switch": loss[0] == "c"}
    rows = _rows(tmp_path, _config(**FLIPS, **changes), MAPS)
    assert [row.name for row in rows] == ["0", "2"]
    np.testing.assert_array_equal(rows[1].plain.image[..., 0], 10 * MAPS[2])
    np.testing.assert_array_equal(rows[1].plain.labels, MAPS[2])
    corners = set()
    for view in rows[0].varied:
        np.testing.assert_array_equal(view.image[..., 0], 10 * view.labels)
        corners.add(tuple(view.labels[[0, 0, -1], [0, -1, 0]]))
    assert len(corners) > 1


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    one, two = (_rows(tmp_path, _config(**FLIPS), MAPS, draws=3) for _ in range(2))
    for first, second in zip(one[0].varied, two[0].varied, strict=True):
        np.testing.assert_array_equal(first.image, second.image)


def test_maps_of_values_and_points_move_with_their_image(tmp_path: Path) -> None:
    layers = ["Input:(8, 8, 1)", "Convolution 2D:1:(1, 1)"]
    config = _config(**FLIPS, **VALUES, layers__serial_layer_list=layers)
    for view in _rows(tmp_path, config, [10.0 * one for one in MAPS])[0].varied:
        np.testing.assert_array_equal(view.image, view.values)
    layers = ["Input:(8, 8, 1)", "Flatten", "Dense:4"]
    changes = {
        "config_file__model_signal": "CNN",
        "layers__serial_layer_list": layers,
        "preprocessing__annotation_type": "coordinates",
    }
    points = [[1, 2, 5, 6]] * 3
    for view in _rows(tmp_path, _config(**FLIPS, **VALUES, **changes), points)[0].varied:
        for place, (row, column) in zip(((1, 2), (5, 6)), view.points.astype(int), strict=True):
            assert view.image[row, column, 0] == 10 * MAPS[0][place]


def test_a_class_is_told_as_it_is(tmp_path: Path) -> None:
    layers = ["Input:(8, 8, 1)", "Flatten", "Dense:3", "Activation:softmax"]
    changes = {"config_file__model_signal": "CNN", "layers__serial_layer_list": layers}
    rows = _rows(tmp_path, _config(**FLIPS, **changes), [2, 1, 0], draws=1)
    assert [row.varied[0].numbers for row in rows] == [(2.0,), (0.0,)]


def _detector(switch: bool) -> Config:
    text = json.dumps(
        sections(
            config_file__model_signal="BBD",
            loss_function__loss="ssd",
            preprocessing__normalization_type="none",
            preprocessing__categorical_switch=False,
            augmentation__apply_augmentation_switch=switch,
            bbd_options__number_classes=2,
            layers__serial_layer_list=[
                "Input:(8, 8, 1)",
                "Convolution 2D:4:(3, 3)",
                "Hook connection source",
            ],
        )
    )
    return load_config(text).config


def test_boxes_move_with_their_image(tmp_path: Path) -> None:
    boxes = [[[1, 0, 0, 4, 8]], [[1, 0, 0, 4, 8]], np.zeros((0, 5))]
    rows = _rows(tmp_path, _detector(True), boxes, draws=20)
    assert rows[1].plain.boxes.shape == rows[1].varied[0].boxes.shape == (0, 5)
    assert len({tuple(view.boxes[0]) for view in rows[0].varied}) > 3
    for view in _rows(tmp_path, _detector(False), boxes)[0].varied:
        np.testing.assert_array_equal(view.boxes, rows[0].plain.boxes)


def test_it_is_known_whether_anything_varies() -> None:
    assert varies(_config(**FLIPS))
    assert not varies(_config())
    assert varies(_detector(True))
    assert not varies(_detector(False))


def test_statistics_are_those_of_the_samples_shown(tmp_path: Path) -> None:
    changes = {
        "augmentation__featurewise_centering_switch": True,
        "preprocessing__normalization_type": "none",
    }
    rows = _rows(tmp_path, _config(**changes), MAPS, draws=1)
    mean = 10 * np.mean([MAPS[0], MAPS[2]])
    np.testing.assert_allclose(rows[0].plain.image[..., 0], 10 * MAPS[0] - mean, rtol=1e-6)
