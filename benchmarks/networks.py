"""The network and the data that both benchmarks use."""

import json
from pathlib import Path

import numpy as np

from dlae_core.data.source import write_samples

SIDE = 128
CLASSES = 2


def _convolution(filters: int) -> list[str]:
    return [f"Convolution 2D:{filters}:(3, 3)", "Batch normalization", "Activation:relu"]


def unet_layers() -> list[str]:
    """Returns a U-Net of three levels for images of (128, 128, 1)."""
    layers = [f"Input:({SIDE}, {SIDE}, 1)"]
    for filters in (16, 32, 64):
        layers += [*_convolution(filters), *_convolution(filters)]
        layers += ["Outer skip source", "Max pooling 2D"]
    layers += _convolution(128)
    for filters in (64, 32, 16):
        layers += [f"Resize convolution 2D:{filters}", "Activation:relu", "Outer skip target"]
        layers += _convolution(filters)
    return [*layers, f"Convolution 2D:{CLASSES}:(1, 1)", "Activation:softmax"]


def write_data(folder: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Writes random images and masks; returns them, float32 and uint8 (count, 128, 128, 1)."""
    random = np.random.default_rng(1)
    images = random.random((count, SIDE, SIDE, 1), np.float32)
    masks = (images > 0.5).astype(np.uint8)
    for name, arrays in (("X.h5", images), ("y.h5", masks)):
        write_samples(folder / name, [(str(index), one) for index, one in enumerate(arrays)])
    return images, masks


def config_text(folder: Path, epochs: int) -> str:
    """Returns the configuration of a training on the data of `write_data`."""
    sections = {
        "config_file": {"model_signal": "FCN"},
        "paths": {"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")},
        "preprocessing": {
            "categorical_switch": True,
            "categories": CLASSES,
            "normalization_type": "none",
        },
        "training_configurations": {"hardware": "cpu", "batch_size": 8, "epochs": epochs},
        "monitors": {"accuracy_switch": True},
        "layers": {"serial_layer_list": unet_layers()},
    }
    return json.dumps(sections)
