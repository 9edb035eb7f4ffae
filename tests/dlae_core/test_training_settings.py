"""Settings of loss, optimizer, schedule and metrics act in a training."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.training import train
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    return folder


def _history(text: str, workspace: Path) -> list[dict[str, float]]:
    bundle = train(load_config(text).config, workspace, lambda event: None, lambda: False)
    with (bundle / "history.csv").open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_everything_that_was_added_acts_together(data: Path, tmp_path: Path) -> None:
    switches = ("dice", "iou", "auc", "sensitivity", "specificity")
    text = config_text(
        data,
        loss_function__loss="sparse_categorical_crossentropy",
        loss_function__additional_losses=["soft_dice:0.5", "jaccard_set"],
        preprocessing__categorical_switch=False,
        preprocessing__weight_loss_switch=True,
        learning_rate_schedule__learning_rate=0.02,
        learning_rate_schedule__warm_up_length=2,
        learning_rate_schedule__cosine_decay_switch=True,
        optimizer__gradient_clip_norm=1.0,
        optimizer__weight_decay=1e-4,
        training_configurations__epochs=30,
        **{f"monitors__{name}_switch": True for name in switches},
    )
    history = _history(text, tmp_path)
    last = history[-1]
    names = {"dice", "dice_0", "dice_1", "iou", "iou_0", "iou_1", *switches[2:]}
    assert {name for name in last if f"val_{name}" in last} == {"loss", "accuracy", *names}
    assert all(last[f"val_{name}"] > 0.9 for name in names)
    assert last["val_dice"] == last["val_dice_1"]
    # 12 training samples in batches of 4: 3 updates per epoch.
    rates = [row["learning_rate"] for row in history]
    assert rates[:2] == pytest.approx([0.01, 0.02])
    assert rates[-1] == pytest.approx(0.01 * (1 + math.cos(math.pi * 83 / 84)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("optimizer__gradient_clip_norm", 1e-9),
        ("optimizer__gradient_clip_value", 1e-9),
        ("learning_rate_schedule__warm_up_length", 100_000),
    ],
)
def test_what_holds_the_weights_back_does(
    data: Path, tmp_path: Path, setting: str, value: float
) -> None:
    settings = {"optimizer__optimizer": "SGD", "monitors__mse_switch": True}
    settings["training_configurations__shuffle_data_switch"] = False
    first, second = _history(config_text(data, **settings, **{setting: value}), tmp_path)
    assert second["mean_squared_error"] == pytest.approx(first["mean_squared_error"], abs=1e-5)


def test_the_error_of_coordinates_is_reported(data: Path, tmp_path: Path) -> None:
    with SampleFile(data / "masks.h5") as file:
        masks = {name: file.read(name) for name in file.names}
    centers = ((name, np.argwhere(mask).mean(axis=0)) for name, mask in masks.items())
    write_samples(tmp_path / "points.h5", centers)
    text = config_text(
        data,
        "CNN",
        paths__train_y=str(tmp_path / "points.h5"),
        loss_function__loss="mean_absolute_error",
        preprocessing__categorical_switch=False,
        preprocessing__annotation_type="coordinates",
        monitors__coordinate_error_switch=True,
        training_configurations__epochs=60,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Flatten", "Dense:2"],
    )
    history = _history(text, tmp_path / "work")
    assert history[-1]["val_coordinate_error"] < 1 < history[0]["val_coordinate_error"]
