"""Fewer bits for a model that is there already."""

import json
from pathlib import Path

import pytest

from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.errors import UnusableDataset
from dlae_core.prediction import Predictor
from dlae_core.training import train
from dlae_core.training.later import add_precisions
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

LAYERS = [
    "Input:(8, 8, 1)",
    *["Convolution 2D:4", "Activation:relu"] * 2,
    "Convolution 2D:2",
    "Activation:softmax",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and the model that was trained with them."""
    place = tmp_path_factory.mktemp("later")
    write_bright_images(place)
    text = config_text(place, layers__serial_layer_list=LAYERS, training_configurations__epochs=1)
    train(load_config(text).config, place, lambda event: None, lambda: False)
    return place


def test_a_model_is_given_a_precision_by_the_files_of_its_training(folder: Path) -> None:
    files = {"train_X": folder / "X.h5", "train_y": folder / "masks.h5"}
    found = add_precisions(folder / "bundle", folder / "reduced", files, ("int8",), 0.99)
    assert "dice" in found.precisions["int8"]["metrics"]
    before, after = (Bundle.open(folder / name) for name in ("bundle", "reduced"))
    assert before.manifest.precisions == {}
    weights = before.manifest.files["model.keras"]
    assert after.manifest.files["model.keras"] == weights
    assert "int8.onnx" in after.manifest.files
    assert Predictor(folder / "reduced").engines.precisions == ("float32", "int8")
    kept = json.loads(after.read("config.json"))
    assert (kept["save_configurations"]["int8_switch"], kept["paths"]["train_X"]) == (True, "")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train_X": "X.h5", "train_y": "masks.h5"}, "expected the file train_X that the model"),
        ({"train": "X.h5"}, "expected files of .*train_X.*, got 'train'"),
    ],
)
def test_other_data_than_those_of_the_training_judge_nothing(
    files: dict[str, str], message: str, folder: Path, tmp_path: Path
) -> None:
    write_bright_images(tmp_path, count=15)
    given = {key: tmp_path / name for key, name in files.items()}
    with pytest.raises(UnusableDataset, match=message):
        add_precisions(folder / "bundle", tmp_path / "reduced", given)
    assert not (tmp_path / "reduced").exists()
