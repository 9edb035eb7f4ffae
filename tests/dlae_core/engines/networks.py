"""Networks that engines are tried with: every layer that computes is in one of them."""

import json

import keras
import numpy as np

from dlae_core.config import read_config, resolve_config
from dlae_core.families.bbd import Bbd
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer

CONV = "he_normal:l2:l1:0.01:0.02"
# One network for each kind of image; every layer that computes is in one of them.
PLANES = [
    "Input:(16, 12, 2)",
    f"Convolution 2D:4:(3, 3):(1, 1):same:(2, 2):{CONV}",
    "Batch normalization",
    "Activation:hard_sigmoid",
    "Outer skip source",
    f"Separable convolution 2D:6:3:(2, 2):same:1:{CONV}",
    "Leaky reLU:0.2",
    "Inner skip source",
    f"Depthwise separable convolution 2D:6:3:1:same:{CONV}",
    "PreLU",
    "Inner skip target",
    "Max pooling 2D:(3, 3):(1, 1)",
    "Zero padding 2D:1",
    "Average pooling 2D:(2, 2):(1, 1)",
    "Cropping 2D:((0, 1), (0, 1))",
    "Zero padding 2D:((0, 2), (1, 1))",
    "Dropout:0.5",
    f"Resize convolution 2D:4:3:1:(2, 2):same:1:{CONV}",
    "ELU:0.5",
    f"Convolution 2D:4:(3, 3):(2, 2):same:(1, 1):{CONV}",
    f"Transpose convolution 2D:4:3:(2, 2):same:1:{CONV}",
    "Thresholded reLU:0.1",
    "Outer skip target",
    "Gaussian noise:0.1",
    "Dense:3",
    "Activation:softmax",
]
VOLUMES = [
    "Input:(8, 8, 4, 1)",
    "Convolution 3D:4:(3, 3, 3)",
    "Batch normalization",
    "PreLU",
    "Max pooling 3D:(2, 2, 2)",
    "Resize convolution 3D:4:3:1:(2, 2, 2)",
    "Average pooling 3D:(2, 2, 2):(2, 2, 2)",
    "Transpose convolution 3D:4:3:(2, 2, 2)",
    "Permute:(2, 1, 3, 4)",
    "Flatten",
    "Dense:8",
    "Activation:selu",
    "Dense:2",
    "Activation:softmax",
]
# tf2onnx cannot write depthwise convolutions of volumes.
DEPTHWISE_VOLUMES = [
    "Input:(8, 6, 4, 2)",
    f"Separable convolution 3D:4:3:2:same:1:{CONV}",
    "Depthwise convolution 3D:4:3:1:same",
    "Upsample 3D:2",
    "Global average pooling 3D",
]
GENERATOR = [
    "Input:(16, 16, 1)",
    "Convolution 2D:4:(4, 4):(2, 2)",
    "Leaky reLU:0.2",
    "Upsample 2D:2",
    "Spatial dropout 2D:0.2",
    "Convolution 2D:1:(3, 3)",
    "Activation:tanh",
]
DETECTOR = {
    "config_file": {"model_signal": "BBD"},
    "preprocessing": {"categories": 2},
    "bbd_options": {"scales": [0.1, 0.4, 0.8]},
    "layers": {
        "serial_layer_list": [
            "Input:(32, 32, 1)",
            "Convolution 2D:4:(3, 3):(4, 4)",
            "Hook connection source",
            "Convolution 2D:4:(3, 3):(2, 2)",
            "Hook connection source",
        ]
    },
}


def network(texts: list[str]) -> keras.Model:
    """Returns the network of a list of layers, with weights drawn at random."""
    keras.utils.set_random_seed(2)
    return shaken(build_network([parse_layer(text) for text in texts], "layers").model)


def detector() -> keras.Model:
    """Returns a small detector, with weights drawn at random."""
    keras.utils.set_random_seed(2)
    config = resolve_config(read_config(json.dumps(DETECTOR)).config)
    return shaken(Bbd().networks(config)[0].model)


def shaken(model: keras.Model) -> keras.Model:
    """Returns a model whose weights are all other than their first values."""
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(weight + random.normal(0, 0.1, weight.shape))
    return model


def images(model: keras.Model, count: int, seed: int = 0) -> np.ndarray:
    """Returns images for a network, normally distributed."""
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)
