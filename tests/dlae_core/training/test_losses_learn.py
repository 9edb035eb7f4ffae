"""Every loss that suits it teaches a small CNN and a small U-Net something about real images.

The images are handwritten digits, 8 x 8, of scikit-learn. The CNN learns which of four digits one
is and how much ink it has; the U-Net finds the ink under noise, and the digit without the noise.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.events import EpochFinished
from dlae_core.training.learning import learner_of
from dlae_core.training.run import Caller, Run
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks

pytestmark = [pytest.mark.keras, pytest.mark.slow]

CLASSES, SAMPLES, EPOCHS = 4, 480, 16
REST = "(1, 1):same:(1, 1):glorot_uniform"
CNN = [
    "Input:(8, 8, 1)",
    f"Convolution 2D:16:(3, 3):{REST}",
    "Batch normalization:0.8:0.001",
    "Activation:relu",
    "Max pooling 2D",
    f"Convolution 2D:32:(3, 3):{REST}",
    "Activation:relu",
    "Flatten",
]
UNET = [
    "Input:(8, 8, 1)",
    f"Convolution 2D:16:(3, 3):{REST}",
    "Batch normalization:0.8:0.001",
    "Activation:relu",
    "Outer skip source",
    "Max pooling 2D",
    f"Convolution 2D:32:(3, 3):{REST}",
    "Activation:relu",
    "Upsample 2D",
    "Outer skip target",
    f"Convolution 2D:16:(3, 3):{REST}",
    "Activation:relu",
]
# Compare classes per image or pixel; with the parameters that make them most unlike others.
OF_CLASSES = {
    "categorical_crossentropy": {},
    "sparse_categorical_crossentropy": {},
    "weighted_categorical_crossentropy": {},
    "focal": {},
    "jaccard": {},
    "jaccard_set": {},
    "soft_dice": {},
    "tversky": {"parameter1": 0.3, "parameter2": 0.7},
}
SUM = {"additional_losses": [{"loss": "soft_dice", "weight": 0.5}]}
OF_VALUES = ("mean_squared_error", "mean_absolute_error")


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    images, classes = load_digits(n_class=CLASSES, return_X_y=True)
    return images[:SAMPLES].reshape(-1, 8, 8), classes[:SAMPLES]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    images, classes = _digits()
    noisy = images + np.random.default_rng(1).normal(0, 3, images.shape)
    files = {
        "plain": images,
        "noisy": noisy,
        "classes": classes,
        "ink": (images > 7).astype(np.uint8),
        "clean": images / 16,
        "quarters": np.stack([_quarters(image) for image in images]),
    }
    for name, stored in files.items():
        samples = ((str(number), np.asarray(one)) for number, one in enumerate(stored))
        write_samples(folder / f"{name}.h5", samples)
    return folder


def _quarters(image: np.ndarray) -> np.ndarray:
    """Returns how much ink each quarter of an image has, float64 (4,), from 0 to 1."""
    return image.reshape(2, 4, 2, 4).mean(axis=(1, 3)).ravel() / 16


def _metrics(folder: Path, sections: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics of the last epoch, on the quarter that was kept for validation."""
    told: list[Any] = []
    config = load_config(json.dumps(sections)).config
    keras.utils.set_random_seed(config.augmentation.random_seed)
    networks = checked_networks(config)
    (folder / "bundle").mkdir()
    with open_training_data(config, networks[0]) as data:
        learner = learner_of(config, networks, data)
        Run(config, learner, data, folder, Caller(told.append, lambda: False)).fit()
    return [event.metrics for event in told if isinstance(event, EpochFinished)][-1]


def _sections(data: Path, model: str, files: tuple[str, str], loss: dict[str, Any]) -> Any:
    one_hot = loss["loss"] not in (*OF_VALUES, "sparse_categorical_crossentropy")
    return {
        "config_file": {"model_signal": model},
        "paths": {"train_X": f"{data}/{files[0]}.h5", "train_y": f"{data}/{files[1]}.h5"},
        "preprocessing": {
            "normalization_type": "global_unity_x",
            "minimum_image_intensity": 0,
            "maximum_image_intensity": 16,
            "categorical_switch": one_hot,
            "categories": 2 if model == "FCN" else CLASSES,
        },
        "loss_function": loss,
        "learning_rate_schedule": {"learning_rate": 0.002},
        "monitors": {"mse_switch": True},
        "training_configurations": {
            "hardware": "cpu",
            "batch_size": 32,
            "epochs": EPOCHS,
            "validation_split": 0.25,
        },
    }


@pytest.mark.parametrize("loss", [name for name in OF_CLASSES if name != "tversky"])
def test_a_cnn_learns_to_tell_digits(data: Path, tmp_path: Path, loss: str) -> None:
    sections = _sections(data, "CNN", ("plain", "classes"), {"loss": loss, **OF_CLASSES[loss]})
    sections["layers"] = {"serial_layer_list": [*CNN, f"Dense:{CLASSES}", "Activation:softmax"]}
    assert _metrics(tmp_path, sections)["val_accuracy"] >= 0.95


@pytest.mark.parametrize("loss", [*OF_CLASSES, "sum"])
def test_a_unet_learns_to_find_ink(data: Path, tmp_path: Path, loss: str) -> None:
    named = {"loss": loss, **OF_CLASSES[loss]} if loss != "sum" else {"loss": "focal", **SUM}
    sections = _sections(data, "FCN", ("noisy", "ink"), named)
    layers = [*UNET, "Convolution 2D:2:(1, 1)", "Activation:softmax"]
    sections["layers"] = {"serial_layer_list": layers}
    assert _metrics(tmp_path, sections)["val_dice"] >= 0.85


@pytest.mark.parametrize("loss", OF_VALUES)
def test_a_cnn_learns_how_much_ink_there_is(data: Path, tmp_path: Path, loss: str) -> None:
    sections = _sections(data, "CNN", ("plain", "quarters"), {"loss": loss})
    sections["training_configurations"]["epochs"] *= 2
    sections["layers"] = {"serial_layer_list": [*CNN, "Dense:4"]}
    # The variance of annotations is 0.009.
    assert _metrics(tmp_path, sections)["val_mean_squared_error"] <= 0.004


@pytest.mark.parametrize("loss", OF_VALUES)
def test_a_unet_learns_to_take_noise_away(data: Path, tmp_path: Path, loss: str) -> None:
    sections = _sections(data, "FCN", ("noisy", "clean"), {"loss": loss})
    sections["training_configurations"]["epochs"] *= 2
    sections["layers"] = {"serial_layer_list": [*UNET, "Convolution 2D:1:(1, 1)"]}
    # Less than half the variance of the noise is left.
    assert _metrics(tmp_path, sections)["val_mean_squared_error"] <= (3 / 16) ** 2 / 2
