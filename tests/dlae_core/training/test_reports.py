"""TensorBoard's log, read by TensorBoard itself, and pictures of examples."""

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.source import SampleFile
from dlae_core.events import EpochFinished, Event
from dlae_core.training import train
from dlae_core.training.pictures import GAP, Pictures
from tests.sessions import CNN_LAYERS, FCN_3D_LAYERS, config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

EPOCHS = 4


class Killed(Exception):
    """Takes the place of a signal."""


def _train(text: str, workspace: Path, dies_after: int = 0) -> list[EpochFinished]:
    events: list[EpochFinished] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            events.append(event)
            if event.progress.epoch == dies_after:
                raise Killed

    with suppress(Killed):
        train(load_config(text).config, workspace, emit, lambda: False)
    return events


def _text(folder: Path, **changes: Any) -> str:
    arguments = {
        "training_configurations__epochs": EPOCHS,
        "save_configurations__save_tensorboard_switch": True,
        "save_configurations__save_tensorboard_path": "logs",
        "save_configurations__save_tensorboard_frequency": 2,
        "save_configurations__example_images": 2,
        **changes,
    }
    return config_text(folder, **arguments)


def _log(bundle: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(bundle), size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    log.Reload()
    return log


def test_tensorboard_reads_metrics_weights_and_pictures_of_an_interrupted_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bright_images(tmp_path)
    # The epoch after the last checkpoint is written twice.
    due = "dlae_core.checkpoints.recovery.Recovery.is_due"
    first = _train(_text(tmp_path), tmp_path / "w", dies_after=2)
    monkeypatch.setattr(due, lambda *_, **__: False)
    _train(_text(tmp_path), tmp_path / "w", dies_after=3)
    rest = _train(_text(tmp_path), tmp_path / "w")
    told = {event.progress.epoch: event for event in [*first, *rest]}
    log = _log(tmp_path / "w" / "bundle")
    for name in ("loss", "val_loss", "val_dice"):
        found = [(one.step, one.value) for one in log.Scalars(name)]
        assert [step for step, _ in found] == list(range(EPOCHS))
        expected = [told[epoch].metrics[name] for epoch in range(1, EPOCHS + 1)]
        np.testing.assert_allclose([value for _, value in found], expected, rtol=1e-6)
    assert [one.value for one in log.Scalars("learning_rate")] == pytest.approx([0.01] * EPOCHS)
    model = keras.models.load_model(tmp_path / "w" / "bundle" / "model.keras")
    kernel = np.asarray(model.layers[1].kernel)
    *_, last = log.Histograms(model.layers[1].kernel.path)
    assert (last.step, last.histogram_value.num) == (3, kernel.size)
    assert last.histogram_value.sum == pytest.approx(kernel.sum(), rel=1e-5)
    assert sum(last.histogram_value.bucket) == kernel.size
    images = log.Images("example/1")
    assert [one.step for one in images] == list(range(EPOCHS))
    with zipfile.ZipFile(tmp_path / "w" / "bundle" / "examples.zip") as examples:
        assert len(examples.namelist()) == 2 * EPOCHS
        assert examples.read("epoch-0004-example-1.png") == images[-1].encoded_image_string


def _panels(content: bytes, width: int) -> list[np.ndarray]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    starts = range(0, picture.shape[1], width + GAP)
    return [picture[:, start : start + width] for start in starts]


def _pictures(tmp_path: Path, workspace: str, **changes: Any) -> list[bytes]:
    text = _text(tmp_path, save_configurations__save_tensorboard_switch=False, **changes)
    _train(text, tmp_path / workspace)
    with zipfile.ZipFile(tmp_path / workspace / "bundle" / "examples.zip") as examples:
        return [examples.read(name) for name in sorted(examples.namelist())]


def test_pictures_show_image_truth_and_prediction(tmp_path: Path) -> None:
    write_bright_images(tmp_path)
    text = {"training_configurations__shuffle_data_switch": False}
    *_, content, _ = _pictures(tmp_path, "w", training_configurations__epochs=30, **text)
    image, truth, prediction = _panels(content, 8)
    # Without a shuffle the first samples are kept for validation.
    with SampleFile(tmp_path / "masks.h5") as masks, SampleFile(tmp_path / "X.h5") as images:
        mask, raw = masks.read("0"), images.read("0")[..., 0]
    np.testing.assert_array_equal(truth.any(-1), mask > 0)
    expected = np.rint(255 * (raw - raw.min()) / (raw.max() - raw.min()))
    np.testing.assert_allclose(image[..., 0], expected, atol=1)
    assert (prediction.any(-1) == (mask > 0)).mean() > 0.9


def test_pictures_of_volumes_show_the_middle_slice(tmp_path: Path) -> None:
    write_bright_images(tmp_path, count=8, space=(8, 8, 4))
    (content, *_) = _pictures(
        tmp_path,
        "w",
        preprocessing__image_context="3D",
        layers__serial_layer_list=FCN_3D_LAYERS,
        training_configurations__epochs=1,
        training_configurations__shuffle_data_switch=False,
    )
    _, truth, _ = _panels(content, 8)
    with SampleFile(tmp_path / "masks.h5") as masks:
        np.testing.assert_array_equal(truth.any(-1), masks.read("0")[..., 2] > 0)


def test_values_are_drawn_on_the_scale_of_the_truth() -> None:
    class Data:
        def batches(self, epoch: int) -> Any:
            ramp = np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 4, 4, 1)

            class Batch:
                images, targets = ramp, ramp

            yield Batch

    data: Any = Data()
    pictures = Pictures(data, 1, 0, lambda images: images * 2)
    _, truth, prediction = _panels(pictures.draw()[0], 4)
    ramp = np.linspace(0, 255, 16)
    np.testing.assert_allclose(truth[..., 0].ravel(), ramp, atol=1)
    np.testing.assert_allclose(
        prediction[..., 0].ravel(), np.clip(2 * ramp - 127.5, 0, 255), atol=1
    )


def test_without_validation_or_maps_nothing_is_drawn(tmp_path: Path) -> None:
    write_bright_images(tmp_path)
    nothing = {"save_configurations__save_tensorboard_switch": False}
    text = _text(tmp_path, training_configurations__validation_split=0.0, **nothing)
    _train(text, tmp_path / "a")
    text = config_text(
        tmp_path,
        "CNN",
        layers__serial_layer_list=CNN_LAYERS,
        save_configurations__example_images=2,
        training_configurations__epochs=1,
    )
    _train(text, tmp_path / "b")
    for name in ("a", "b"):
        assert not (tmp_path / name / "bundle" / "examples.zip").exists()
