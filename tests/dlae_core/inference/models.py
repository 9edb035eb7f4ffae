"""Bundles and files of Keras for sessions of inference, made without training."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import CONFIG_FILE, MODEL_FILE, write_manifest, write_text
from dlae_core.config import load_config, write_config
from dlae_core.data.source import write_samples
from dlae_core.families.table import family_of
from tests.dlae_core.families.configurations import (
    DETECTION,
    IMAGE,
    JUDGE,
    TRANSLATION,
)
from tests.dlae_core.test_bundle import FACTS

PER_IMAGE = [IMAGE, "Convolution 2D:4", "Activation:relu", "Flatten", "Dense:2"]
PER_PIXEL = [IMAGE, "Convolution 2D:4", "Activation:relu", "Convolution 2D:3"]
LAYERS = {
    "CNN": {"serial_layer_list": PER_IMAGE},
    "FCN": {"serial_layer_list": PER_PIXEL},
    "BBD": {"serial_layer_list": DETECTION},
    "GAN": {"generator_layer_list": TRANSLATION, "discriminator_layer_list": JUDGE},
}
LOSSES = {
    "CNN": "mean_squared_error",
    "FCN": "mean_absolute_error",
    "BBD": "ssd",
    "GAN": "pix2pix",
}


def session(folder: Path, family: str, model: Path | str = "", **changes: Any) -> Config:
    """Returns a session of inference on `X.h5`.

    Args:
        folder: Where `X.h5` is.
        family: `CNN`, `FCN`, `BBD` or `GAN`.
        model: What `load_model` says.
        changes: Values by `section__key`.
    """
    return load_config(session_text(folder, family, model, **changes)).config


def session_text(folder: Path, family: str, model: Path | str = "", **changes: Any) -> str:
    """Returns the configuration of a session of inference, see `session`."""
    sections: dict[str, dict[str, Any]] = {
        "config_file": {"model_signal": family, "type_signal": "Inference"},
        "paths": {"load_model": str(model), "test_X": str(folder / "X.h5")},
        "loss_function": {"loss": LOSSES[family]},
        "training_configurations": {"batch_size": 3},
        "bbd_options": {"confidence_threshold": 0.5},
    }
    for place, value in changes.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    return json.dumps(sections)


def network(family: str, seed: int = 5) -> keras.Model:
    """Returns a network of a family with random weights."""
    keras.utils.set_random_seed(seed)
    config = load_config(session_text(Path(), family, "m", **_layers(family))).config
    return family_of(config).networks(config)[0].model


def _layers(family: str) -> dict[str, list[str]]:
    return {f"layers__{key}": layers for key, layers in LAYERS[family].items()}


def bundle(folder: Path, family: str, **changes: Any) -> Path:
    """Writes a bundle of a family; returns its folder."""
    folder.mkdir(parents=True)
    config = session(folder, family, "m", **_layers(family), **changes)
    model = network(family)
    model.save(folder / MODEL_FILE)
    write_text(folder / CONFIG_FILE, write_config(config))
    shapes = {"input_shape": model.input_shape[1:], "output_shape": model.output_shape[1:]}
    name = family_of(config).name
    write_manifest(folder, {**FACTS, "family": name, "classes": 0, **shapes})
    return folder


def write_images(folder: Path, count: int = 7, shape: tuple[int, ...] = (8, 8, 1)) -> np.ndarray:
    """Writes `X.h5`: images of 16 bits, named by odd numbers from 3; returns them."""
    images = np.random.default_rng(4).integers(0, 4000, (count, *shape)).astype(np.uint16)
    folder.mkdir(parents=True, exist_ok=True)
    write_samples(folder / "X.h5", [(name, images[at]) for at, name in enumerate(names(count))])
    return images


def names(count: int = 7) -> list[str]:
    """Returns the names of the images of `write_images`."""
    return [str(2 * number + 3) for number in range(count)]


def read_all(path: Path) -> dict[str, np.ndarray]:
    """Returns every dataset of a file."""
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


def write_keras2(path: Path, description: Any, weights: dict[str, dict[str, Any]]) -> None:
    """Writes a whole model as Keras 2.2.4 did.

    Args:
        path: The file.
        description: Of the network, as JSON values; None: weights only.
        weights: By layer and name of the weight, all layers in the order of the network.
    """
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        if description is not None:
            file.attrs["model_config"] = json.dumps(description).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for layer, arrays in weights.items():
            own = group.create_group(layer)
            own.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
            for name, array in arrays.items():
                own[f"{layer}/{name}:0"] = array
