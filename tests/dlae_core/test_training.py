"""Training: a configuration to a bundle, and prediction from the bundle."""

import csv
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.data.source import SampleFile
from dlae_core.errors import (
    InvalidConfig,
    InvalidImage,
    TrainingCancelled,
    TrainingDiverged,
    UnusableDataset,
)
from dlae_core.events import EpochFinished, Event, StepFinished, TrainingStarted
from dlae_core.prediction import Predictor
from dlae_core.training import train
from dlae_core.validation import validate
from tests.sessions import CNN_LAYERS, FCN_3D_LAYERS, config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    return folder


def _train(text: str, workspace: Path) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    return train(load_config(text).config, workspace, events.append, lambda: False), events


def _images(data: Path) -> np.ndarray:
    with SampleFile(data / "X.h5") as file:
        return np.stack([file.read(name) for name in file.names])


def test_segmentation_learns_its_training_images(data: Path, tmp_path: Path) -> None:
    text = config_text(data, training_configurations__epochs=40)
    bundle, events = _train(text, tmp_path)
    assert events[-1].metrics["val_dice"] > 0.9
    with SampleFile(data / "masks.h5") as file:
        masks = np.stack([file.read(name) for name in file.names])
    predicted = Predictor(bundle).predict(_images(data), labels=True)
    assert predicted.dtype == np.uint8
    assert predicted.shape == masks.shape
    overlap = 2 * (predicted & masks).sum() / (predicted.sum() + masks.sum())
    assert overlap > 0.9


def test_classification_learns_its_training_images(data: Path, tmp_path: Path) -> None:
    layers = [*CNN_LAYERS[:4], "Flatten", *CNN_LAYERS[5:]]
    text = config_text(
        data, "CNN", training_configurations__epochs=60, layers__serial_layer_list=layers
    )
    _, events = _train(text, tmp_path)
    assert events[-1].metrics["accuracy"] > 0.9


def test_regression_learns_its_training_images(data: Path, tmp_path: Path) -> None:
    text = config_text(
        data,
        "CNN",
        paths__train_y=str(data / "centers.h5"),
        preprocessing__categorical_switch=False,
        loss_function__loss="mean_squared_error",
        monitors__mae_switch=True,
        training_configurations__epochs=60,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Flatten", "Dense:1"],
    )
    bundle, events = _train(text, tmp_path)
    assert events[-1].metrics["mean_absolute_error"] < 0.05
    assert Predictor(bundle).manifest.classes == 0
    with pytest.raises(InvalidImage, match="classification"):
        Predictor(bundle).predict(_images(data), labels=True)


def test_volumes_are_segmented_by_the_same_code(tmp_path: Path) -> None:
    write_bright_images(tmp_path, count=6, space=(8, 8, 4))
    text = config_text(
        tmp_path,
        preprocessing__image_context="3D",
        layers__serial_layer_list=FCN_3D_LAYERS,
        training_configurations__epochs=100,
        learning_rate_schedule__learning_rate=0.03,
    )
    bundle, events = _train(text, tmp_path)
    assert events[-1].metrics["dice"] > 0.9
    output = Predictor(bundle).predict(np.zeros((2, 8, 8, 4, 1), np.uint16))
    assert output.shape == (2, 8, 8, 4, 2)


def test_events_tell_the_whole_training_in_order(data: Path, tmp_path: Path) -> None:
    _, events = _train(config_text(data, augmentation__rounds=2), tmp_path)
    started, *rest = events
    assert isinstance(started, TrainingStarted)
    assert (started.training_samples, started.validation_samples, started.steps) == (12, 4, 6)
    kinds = [kind for kind, _ in itertools.groupby(type(event) for event in rest)]
    assert kinds == [StepFinished, EpochFinished] * 2
    steps = [event for event in rest if isinstance(event, StepFinished)]
    assert [event.steps_done for event in steps] == list(range(1, 13))
    assert steps[-1].samples_done == 2 * 2 * 12


def test_the_history_has_one_line_per_epoch_in_the_columns_of_1_0(
    data: Path, tmp_path: Path
) -> None:
    bundle, events = _train(config_text(data, monitors__mse_switch=True), tmp_path)
    with (bundle / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ["accuracy", "dice", "loss", "mean_squared_error"]
    expected = ["epoch", *names, *(f"val_{name}" for name in names), "learning_rate"]
    assert list(rows[0]) == expected
    assert [row["epoch"] for row in rows] == ["0", "1"]
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert float(rows[1]["val_loss"]) == epochs[1].metrics["val_loss"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    data: Path, tmp_path: Path
) -> None:
    def weights(name: str, seed: int) -> list[np.ndarray]:
        import keras

        text = config_text(
            data,
            augmentation__random_seed=seed,
            augmentation__apply_augmentation_switch=True,
            augmentation__horizontal_flip_switch=True,
        )
        bundle, _ = _train(text, tmp_path / name)
        return keras.models.load_model(bundle / "model.keras").get_weights()

    first, second, other = weights("a", 3), weights("b", 3), weights("c", 4)
    assert all(np.array_equal(one, two) for one, two in zip(first, second, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_the_model_opens_where_dlae_is_not_installed(data: Path, tmp_path: Path) -> None:
    bundle, _ = _train(config_text(data), tmp_path)
    image = _images(data)[:1]
    np.save(tmp_path / "image.npy", (image - image.min()) / (image.max() - image.min()))
    program = (
        "import sys, numpy, keras\n"
        "ours = ('dlae', 'dlae_core', 'dlae_client', 'dlae_server')\n"
        "sys.modules.update(dict.fromkeys(ours))\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "numpy.save(sys.argv[3], model(numpy.load(sys.argv[2])))\n"
    )
    arguments = [str(bundle / "model.keras"), str(tmp_path / "image.npy"), str(tmp_path / "o.npy")]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
    ours = Predictor(bundle).predict(image)
    np.testing.assert_allclose(ours, np.load(tmp_path / "o.npy"), atol=1e-6)


def test_a_bundle_names_no_path_of_its_data(data: Path, tmp_path: Path) -> None:
    bundle, _ = _train(config_text(data), tmp_path)
    for name in ("config.json", "manifest.json", "history.csv"):
        assert str(data) not in (bundle / name).read_text()
    assert set(Bundle.open(bundle).manifest.data) == {"train_X", "train_y"}


def test_cancelling_stops_before_the_next_step(data: Path, tmp_path: Path) -> None:
    events: list[Event] = []

    def cancelled() -> bool:
        return sum(isinstance(event, StepFinished) for event in events) == 2

    config = load_config(config_text(data)).config
    with pytest.raises(TrainingCancelled):
        train(config, tmp_path, events.append, cancelled)
    assert sum(isinstance(event, StepFinished) for event in events) == 2
    assert not (tmp_path / "bundle" / "manifest.json").exists()


def test_a_diverging_loss_is_named_with_its_step(data: Path, tmp_path: Path) -> None:
    text = config_text(
        data,
        "CNN",
        paths__train_y=str(data / "centers.h5"),
        preprocessing__categorical_switch=False,
        preprocessing__normalization_type="none",
        loss_function__loss="mean_squared_error",
        optimizer__optimizer="SGD",
        learning_rate_schedule__learning_rate=1e30,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Flatten", "Dense:1"],
    )
    with pytest.raises(TrainingDiverged, match=r"step \d of epoch 1 .*learning_rate"):
        _train(text, tmp_path)


def _rewrite(path: Path, name: str, change: Any) -> None:
    from dlae_core.data.source import write_samples

    with SampleFile(path) as file:
        samples = {known: file.read(known) for known in file.names}
    samples[name] = change(samples[name])
    write_samples(path, samples.items())


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("masks.h5", lambda mask: mask + 7, r"masks\.h5.*'3'"),
        ("X.h5", lambda image: image * np.nan, r"X\.h5.*'3'.*NaN"),
        ("X.h5", lambda image: image[:7], r"X\.h5.*'3'.*\(7, 8, 1\)"),
        ("masks.h5", lambda mask: mask[:, :5], r"masks\.h5.*'3'.*\(8, 5\)"),
    ],
)
def test_unusable_data_are_named_by_file_and_dataset_before_training(
    tmp_path: Path, file: str, change: Any, sentence: str
) -> None:
    write_bright_images(tmp_path)
    _rewrite(tmp_path / file, "3", change)
    with pytest.raises(UnusableDataset, match=sentence):
        _train(config_text(tmp_path), tmp_path / "work")
    report = validate(load_config(config_text(tmp_path)).config)
    assert [violation.reason for violation in report.violations] == ["UNUSABLE_DATASET"]


def test_a_network_that_does_not_suit_the_task_is_refused(data: Path, tmp_path: Path) -> None:
    text = config_text(data, "FCN", layers__serial_layer_list=CNN_LAYERS)
    with pytest.raises(InvalidConfig, match="pixels of its input"):
        _train(text, tmp_path)


def test_validation_reports_the_graph(data: Path) -> None:
    report = validate(load_config(config_text(data)).config)
    assert not report.violations
    (graph,) = report.graphs
    assert graph.output_shape == (8, 8, 2)
    assert graph.layers[1].type == "Convolution 2D"
    assert graph.layers[1].parameters == 3 * 3 * 8 + 8


def test_prediction_refuses_images_that_do_not_suit(data: Path, tmp_path: Path) -> None:
    bundle, _ = _train(config_text(data), tmp_path)
    predictor = Predictor(bundle)
    for images, sentence in [
        (np.zeros((1, 7, 8, 1), np.float32), r"\(batch, 8, 8, 1\) or larger, got \(1, 7, 8, 1\)"),
        (np.full((1, 8, 8, 1), np.nan, np.float32), "NaN"),
        (np.zeros((1, 8, 8, 1), np.complex64), "complex64"),
    ]:
        with pytest.raises(InvalidImage, match=sentence):
            predictor.predict(images)
    assert predictor.predict(np.zeros((3, 8, 8), np.int16)).shape == (3, 8, 8, 2)
    assert predictor.predict(np.zeros((0, 8, 8, 1), np.int16)).shape == (0, 8, 8, 2)
    none = predictor.predict(np.zeros((0, 8, 8, 1), np.int16), labels=True)
    assert (none.shape, none.dtype) == ((0, 8, 8), np.uint8)
