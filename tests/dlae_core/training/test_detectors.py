"""Detectors learn, go on after a death with the same bytes, and are kept with all they need."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.bundle import HISTORY_FILE, Bundle
from dlae_core.config import load_config
from dlae_core.data.source import SampleFile
from dlae_core.detection.average_precision import average_precisions
from dlae_core.detection.decoding import Decoder
from dlae_core.events import EpochFinished, Event, StepFinished
from dlae_core.training import train
from tests.dlae_core.training import chaos
from tests.sessions import detector_text, write_shapes

pytestmark = [pytest.mark.keras, pytest.mark.slow]

IMAGE = (64, 64)


class Killed(Exception):
    """Takes the place of a signal."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    write_shapes(folder, count=8)
    return folder


def _train(text: str, workspace: Path, dies_after: int = 0) -> list[Event]:
    """Trains, and dies after some steps."""
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepFinished) and event.steps_done == dies_after:
            raise Killed

    with suppress(Killed):
        train(load_config(text).config, workspace, emit, lambda: False)
    return events


def _epochs(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.metrics) for event in events if isinstance(event, EpochFinished)]


def test_a_detector_finds_the_shapes_that_it_was_trained_on(data: Path, tmp_path: Path) -> None:
    text = detector_text(
        data,
        training_configurations__epochs=100,
        training_configurations__validation_split=0.0,
        paths__validation_X=str(data / "shapes.h5"),
        paths__validation_y=str(data / "boxes.h5"),
        learning_rate_schedule__learning_rate=0.005,
    )
    last = _epochs(_train(text, tmp_path))[-1]
    assert last["val_average_precision_50"] >= 0.9
    assert last["accuracy"] > 0.95
    terms = last["val_classification_loss"] + last["val_localization_loss"]
    assert last["val_loss"] == pytest.approx(terms, rel=1e-5)
    _check_bundle(data, Bundle.open(tmp_path / "bundle"), last)


def _check_bundle(data: Path, bundle: Bundle, last: dict[str, float]) -> None:
    """The model opens without DLAE, and its boxes have the precision that training told of."""
    manifest = bundle.manifest
    assert (manifest.family, manifest.classes, manifest.output_shape) == ("BBD", 2, (160, 15))
    assert manifest.metrics == last
    model = keras.models.load_model(bundle.path / "model.keras", safe_mode=True)
    images, boxes = SampleFile(data / "shapes.h5"), SampleFile(data / "boxes.h5")
    decoder = Decoder.from_options(load_config(detector_text(data)).config.bbd_options, IMAGE)
    found, truth = [], []
    for name in images.names:
        image = images.read(name)
        low, high = image.min(), image.max()
        output = np.asarray(model((image[np.newaxis] - low) / (high - low)))[0]
        found.append(decoder.boxes(output))
        truth.append(boxes.read(name))
    values = average_precisions(found, truth, 2)
    assert values.mean() == pytest.approx(last["val_average_precision"], abs=0.02)


CHANGING: dict[str, Any] = {
    "training_configurations__epochs": 3,
    "training_configurations__batch_size": 2,
    "training_configurations__restore_best_switch": True,
    "augmentation__apply_augmentation_switch": True,
    "save_configurations__example_images": 2,
    "save_configurations__save_checkpoints_switch": True,
    "save_configurations__save_checkpoints_path": "{epoch}-{val_average_precision:.3f}.keras",
}


def test_a_detector_whose_training_died_ends_with_the_same_bytes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "dlae_core.checkpoints.recovery.Recovery.is_due"
    monkeypatch.setattr(place, lambda *_, **__: True)
    text = detector_text(data, **CHANGING)
    whole = _epochs(_train(text, tmp_path / "whole"))
    # Within the first epoch, and within the last.
    for step in (2, 8):
        _train(text, tmp_path / "torn", dies_after=step)
    rest = _epochs(_train(text, tmp_path / "torn"))
    assert rest == whole[-len(rest) :]
    left = chaos.left(tmp_path / "torn")
    assert left == chaos.left(tmp_path / "whole")
    assert "examples.zip" in left
    columns = (tmp_path / "whole" / "bundle" / HISTORY_FILE).read_text().splitlines()[0].split(",")
    assert {"val_average_precision", "val_average_precision_50"} <= set(columns)


def test_average_precision_is_told_where_it_is_asked_for(data: Path, tmp_path: Path) -> None:
    one = {"training_configurations__epochs": 1, "monitors__accuracy_switch": False}
    without = {**one, "monitors__average_precision_switch": False}
    told = [
        set(_epochs(_train(detector_text(data, **changes), tmp_path / name))[0])
        for name, changes in (("with", one), ("without", without))
    ]
    names = {"loss", "classification_loss", "localization_loss"}
    assert told[1] == names | {f"val_{name}" for name in names}
    assert told[0] - told[1] == {"val_average_precision", "val_average_precision_50"}
