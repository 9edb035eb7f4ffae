"""Small resolved configurations of every family."""

import json
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config

IMAGE = "Input:(8, 8, 1)"
PER_PIXEL = [IMAGE, "Convolution 2D:4", "Activation:relu", "Convolution 2D:2", "Activation:softmax"]
PER_IMAGE = [
    IMAGE,
    "Convolution 2D:4",
    "Activation:relu",
    "Flatten",
    "Dense:2",
    "Activation:softmax",
]
TRANSLATION = [IMAGE, "Convolution 2D:4", "Activation:relu", "Convolution 2D:1", "Activation:tanh"]
JUDGE = [IMAGE, "Convolution 2D:4:3:2", "Leaky reLU:0.2", "Convolution 2D:1"]
DETECTION = [
    IMAGE,
    "Convolution 2D:3",
    "Activation:relu",
    "Hook connection source",
    "Convolution 2D:5:3:2",
    "Activation:relu",
    "Hook connection source",
]
CLASSIFIED = {"preprocessing": {"categorical_switch": True, "categories": 2}}


def supervised(model: str, layers: list[str], **sections: dict[str, Any]) -> Config:
    """Returns a configuration of a CNN or an FCN with two classes."""
    given = {**CLASSIFIED, **sections}
    return _resolved(model, {"serial_layer_list": layers}, given)


def gan(loss: str, generator: list[str], discriminator: list[str]) -> Config:
    """Returns a configuration of a GAN."""
    lists = {"generator_layer_list": generator, "discriminator_layer_list": discriminator}
    return _resolved("GAN", lists, {"loss_function": {"loss": loss}})


def detector(layers: list[str] = DETECTION, **options: Any) -> Config:
    """Returns a configuration of a detector."""
    sections = {"loss_function": {"loss": "ssd"}, "bbd_options": options}
    return _resolved("BBD", {"serial_layer_list": layers}, sections)


def _resolved(model: str, lists: dict[str, list[str]], sections: dict[str, Any]) -> Config:
    files = {"train_X": "X.h5", "train_y": "y.h5"}
    given = {"config_file": {"model_signal": model}, "paths": files, "layers": lists, **sections}
    return load_config(json.dumps(given)).config
