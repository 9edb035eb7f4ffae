"""Training of GANs: what comes out, what makes them go on exactly, and what they learn."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.errors import InvalidConfig, TrainingCancelled
from dlae_core.events import Event, StepFinished
from dlae_core.prediction import Predictor
from dlae_core.training import train

pytestmark = [pytest.mark.keras, pytest.mark.slow]

IMAGE = "Input:(8, 8, 1)"
MAKE = [
    IMAGE,
    "Convolution 2D:8:(3, 3)",
    "Batch normalization",
    "Activation:relu",
    "Convolution 2D:8:(3, 3)",
    "Activation:relu",
    "Convolution 2D:1:(3, 3)",
    "Activation:tanh",
]
JUDGE = [IMAGE, "Convolution 2D:8:(3, 3):(2, 2)", "Leaky reLU:0.2", "Convolution 2D:1:(3, 3)"]
SECTION = "training_configurations"


def _write(
    folder: Path, count: int = 10, others: int = 10, space: tuple[int, ...] = (8, 8)
) -> None:
    """Writes images with a bright block, and others with a dark one in the same place."""
    random = np.random.default_rng(2)
    images, targets = [], []
    for number in range(max(count, others)):
        block = np.zeros((*space, 1), np.float32)
        column = int(random.integers(0, space[1] - 2))
        block[2:6, column : column + 3] = 1
        noise = random.normal(0, 3, block.shape)
        images.append((str(number), (100 * block + noise).astype(np.float32)))
        targets.append((str(number), (100 - 80 * block).astype(np.float32)))
    write_samples(folder / "X.h5", images[:count])
    # Their numbers mean nothing where they do not pair.
    write_samples(folder / "y.h5", targets[:others])


def _text(folder: Path, loss: str, **changes: Any) -> str:
    sections: dict[str, dict[str, Any]] = {
        "config_file": {"model_signal": "GAN"},
        "paths": {"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")},
        "preprocessing": {"normalization_type": "samplewise_negpos_xy"},
        "augmentation": {"random_seed": 3},
        "loss_function": {"loss": loss},
        "learning_rate_schedule": {
            "gan_learning_rate": "0.005:0.0",
            "discriminator_learning_rate": "0.002:0.0",
        },
        SECTION: {"hardware": "cpu", "batch_size": 4, "epochs": 2, "validation_split": 0.2},
        "layers": {"generator_layer_list": MAKE, "discriminator_layer_list": JUDGE},
    }
    for place, value in changes.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    return json.dumps(sections)


def _train(text: str, workspace: Path, stop: int = 1 << 30) -> Path:
    seen: list[Event] = []

    def steps() -> int:
        return sum(isinstance(event, StepFinished) for event in seen)

    return train(load_config(text).config, workspace, seen.append, lambda: steps() >= stop)


def _rows(bundle: Path) -> list[dict[str, float]]:
    text = (bundle / "history.csv").read_text().splitlines()
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(text)]


@pytest.mark.parametrize(
    ("loss", "others", "picture"),
    [
        ("pix2pix", ["discriminator"], (8, 28)),
        # There and back, of both images.
        ("cyclegan", ["discriminator1", "discriminator2", "generator2"], (18, 28)),
    ],
)
def test_all_networks_are_saved_and_the_first_generator_predicts(
    tmp_path: Path, loss: str, others: list[str], picture: tuple[int, int]
) -> None:
    _write(tmp_path)
    more = {"monitors__ssim_switch": True, "save_configurations__example_images": 1}
    bundle = _train(_text(tmp_path, loss, **more), tmp_path / "work")
    with zipfile.ZipFile(bundle / "examples.zip") as examples:
        content = np.frombuffer(examples.read(examples.namelist()[-1]), np.uint8)
    assert cv2.imdecode(content, cv2.IMREAD_GRAYSCALE).shape == picture
    for name in others:
        assert keras.models.load_model(bundle / f"{name}.keras").name == name
    names = {"loss", "g_loss", "g_adv", "g_recon", "d_loss", "d_acc", "ssim"}
    names |= {"g_identity"} if loss == "cyclegan" else set()
    (first, _) = _rows(bundle)
    assert set(first) == {"epoch", "learning_rate", *names, *(f"val_{name}" for name in names)}
    manifest = Bundle.open(bundle).manifest
    assert (manifest.family, manifest.classes, manifest.output_shape) == (loss, 0, (8, 8, 1))
    model = keras.models.load_model(bundle / "model.keras")
    image = np.linspace(0, 100, 64, dtype=np.float32).reshape(1, 8, 8, 1)
    expected = np.asarray(model(image / 50 - 1))
    np.testing.assert_allclose(Predictor(bundle).predict(image), expected, atol=1e-4)


@pytest.mark.parametrize("loss", ["pix2pix", "cyclegan"])
def test_an_interrupted_training_ends_with_the_same_bytes(tmp_path: Path, loss: str) -> None:
    _write(tmp_path)
    text = _text(
        tmp_path,
        loss,
        training_configurations__image_pool=6,
        training_configurations__recovery_period=0,
        training_configurations__restore_best_switch=True,
    )
    whole = _train(text, tmp_path / "whole")
    for stop in (1, 2):
        with pytest.raises(TrainingCancelled):
            _train(text, tmp_path / "parts", stop)
    parts = _train(text, tmp_path / "parts")
    assert (parts / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    for path in whole.glob("*.keras"):
        mine, other = (keras.models.load_model(one / path.name) for one in (whole, parts))
        for left, right in zip(mine.get_weights(), other.get_weights(), strict=True):
            assert left.tobytes() == right.tobytes()


def test_another_training_begins_with_the_generator_of_a_checkpoint(tmp_path: Path) -> None:
    _write(tmp_path)
    text = _text(tmp_path, "pix2pix")
    with pytest.raises(TrainingCancelled):
        _train(text, tmp_path / "first", 1)
    (checkpoint,) = (tmp_path / "first" / "recovery").glob("*.dlae")
    changes = {
        "config_file__type_signal": "Train from Checkpoint",
        "paths__load_checkpoint": str(checkpoint),
        "training_configurations__epochs": 1,
        # Of other layers, so that this is no continuation.
        "layers__discriminator_layer_list": [IMAGE, "Convolution 2D:1:(4, 4)"],
    }
    sections = json.loads(text)
    for place, value in changes.items():
        section, _, key = place.partition("__")
        sections[section][key] = value
    seen: list[Event] = []
    config = load_config(json.dumps(sections)).config
    train(config, tmp_path / "second", seen.append, lambda: False)
    (told,) = [event for event in seen if getattr(event, "reason", "") == "WEIGHTS_TAKEN"]
    # Three convolutions and a normalization.
    assert "4 of 4" in str(told)


def test_pix2pix_learns_to_translate(tmp_path: Path) -> None:
    _write(tmp_path, count=8, others=8)
    text = _text(
        tmp_path,
        "pix2pix",
        training_configurations__epochs=150,
        training_configurations__validation_split=0,
        monitors__mae_switch=True,
    )
    rows = _rows(_train(text, tmp_path / "work"))
    # Of values from -1 to 1.
    assert rows[0]["mean_absolute_error"] > 0.4
    assert rows[-1]["mean_absolute_error"] < 0.05


def test_cyclegan_learns_from_images_that_do_not_pair(tmp_path: Path) -> None:
    _write(tmp_path, count=8, others=5)
    text = _text(
        tmp_path,
        "cyclegan",
        training_configurations__epochs=200,
        training_configurations__validation_split=0,
        training_configurations__unpaired_switch=True,
    )
    bundle = _train(text, tmp_path / "work")
    assert _rows(bundle)[-1]["g_recon"] < 0.1
    split = json.loads((bundle / "split.json").read_text())
    assert [len(split["training"][role]) for role in ("train_X", "train_y")] == [8, 5]


def test_volumes_are_translated_with_last_batches_of_any_size(tmp_path: Path) -> None:
    _write(tmp_path, count=5, others=5, space=(8, 8, 4))
    image = "Input:(8, 8, 4, 1)"
    make = [image, "Convolution 3D:4:(3, 3, 3)", "Activation:relu", "Convolution 3D:1:(1, 1, 1)"]
    judge = [image, "Convolution 3D:4:(3, 3, 3):(2, 2, 2)", "Convolution 3D:1:(1, 1, 1)"]
    for loss in ("pix2pix", "cyclegan"):
        text = _text(
            tmp_path,
            loss,
            preprocessing__image_context="3D",
            monitors__psnr_switch=True,
            layers__generator_layer_list=make,
            layers__discriminator_layer_list=judge,
        )
        rows = _rows(_train(text, tmp_path / loss))
        assert np.isfinite([*rows[-1].values()]).all()


def test_what_cannot_be_is_told_before(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "training_configurations__image_pool": 3,
        "training_configurations__unpaired_switch": True,
        "monitors__psnr_switch": True,
    }
    with pytest.raises(InvalidConfig) as caught:
        load_config(_text(tmp_path, "cyclegan", **changes))
    paths = {one.path for one in caught.value.violations}
    assert paths == {"training_configurations.image_pool", "monitors.psnr_switch"}
    with pytest.raises(InvalidConfig) as caught:
        load_config(_text(tmp_path, "pix2pix", training_configurations__unpaired_switch=True))
    assert [one.reason for one in caught.value.violations] == ["LOSS_MISMATCH"]
