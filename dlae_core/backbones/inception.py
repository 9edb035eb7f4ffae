"""Inception: branches of convolutions of several sizes, side by side.

Built here because the networks of Keras number their layers through the process, so that no second
one has the same names (L7), and because InceptionResNetV2 needs a layer of Keras' own to be opened.

References: C. Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016,
arXiv:1512.00567. C. Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning, AAAI 2017, arXiv:1602.07261.
"""

from collections.abc import Callable
from typing import Any

import keras

from dlae_core.backbones.row import Backbone, Level

# A tensor and a name to a tensor.
Step = Callable[[Any, str], Any]
Branches = dict[str, tuple[Step, ...]]


def conv(filters: int, size: int | tuple[int, int], stride: int = 1, valid: bool = False) -> Step:
    """Returns convolution, batch normalization and relu; with a stride it pads nothing."""

    def step(x: Any, name: str) -> Any:
        padding = "valid" if valid or stride > 1 else "same"
        x = keras.layers.Conv2D(
            filters, size, strides=stride, padding=padding, use_bias=False, name=f"{name}_conv"
        )(x)
        x = keras.layers.BatchNormalization(scale=False, name=f"{name}_bn")(x)
        return keras.layers.Activation("relu", name=f"{name}_relu")(x)

    return step


def fork(*steps: Step) -> Step:
    """Returns steps that all read the same tensor, concatenated."""

    def step(x: Any, name: str) -> Any:
        ends = [step(x, f"{name}_{number}") for number, step in enumerate(steps, start=1)]
        return keras.layers.Concatenate(name=name)(ends)

    return step


def average(x: Any, name: str) -> Any:
    """Averages windows of 3x3 and keeps the size."""
    return keras.layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def shrink(x: Any, name: str) -> Any:
    """Takes the maximum of windows of 3x3 and halves the size."""
    return keras.layers.MaxPooling2D(3, strides=2, name=name)(x)


def module(x: Any, name: str, branches: Branches) -> Any:
    """Applies branches, which all read `x`, and concatenates them."""
    ends = [chain(x, f"{name}_{branch}", steps) for branch, steps in branches.items()]
    return keras.layers.Concatenate(name=name)(ends)


def chain(x: Any, name: str, steps: tuple[Step, ...]) -> Any:
    """Applies steps one after the other."""
    for number, step in enumerate(steps, start=1):
        x = step(x, f"{name}_{number}")
    return x


STEM: tuple[Step, ...] = (
    conv(32, 3, stride=2),
    conv(32, 3, valid=True),
    conv(64, 3),
    shrink,
    conv(80, 1, valid=True),
    conv(192, 3, valid=True),
    shrink,
)


def _small(pooled: int) -> Branches:
    return {
        "1x1": (conv(64, 1),),
        "5x5": (conv(48, 1), conv(64, 5)),
        "3x3dbl": (conv(64, 1), conv(96, 3), conv(96, 3)),
        "pool": (average, conv(pooled, 1)),
    }


def _middle(inner: int) -> Branches:
    tall, wide = (7, 1), (1, 7)
    return {
        "1x1": (conv(192, 1),),
        "7x7": (conv(inner, 1), conv(inner, wide), conv(192, tall)),
        "7x7dbl": (
            conv(inner, 1),
            conv(inner, tall),
            conv(inner, wide),
            conv(inner, tall),
            conv(192, wide),
        ),
        "pool": (average, conv(192, 1)),
    }


LARGE: Branches = {
    "1x1": (conv(320, 1),),
    "3x3": (conv(384, 1), fork(conv(384, (1, 3)), conv(384, (3, 1)))),
    "3x3dbl": (conv(448, 1), conv(384, 3), fork(conv(384, (1, 3)), conv(384, (3, 1)))),
    "pool": (average, conv(192, 1)),
}

INCEPTION_V3: dict[str, Branches] = {
    "mixed0": _small(pooled=32),
    "mixed1": _small(pooled=64),
    "mixed2": _small(pooled=64),
    "mixed3": {
        "3x3": (conv(384, 3, stride=2),),
        "3x3dbl": (conv(64, 1), conv(96, 3), conv(96, 3, stride=2)),
        "pool": (shrink,),
    },
    "mixed4": _middle(inner=128),
    "mixed5": _middle(inner=160),
    "mixed6": _middle(inner=160),
    "mixed7": _middle(inner=192),
    "mixed8": {
        "3x3": (conv(192, 1), conv(320, 3, stride=2)),
        "7x7x3": (conv(192, 1), conv(192, (1, 7)), conv(192, (7, 1)), conv(192, 3, stride=2)),
        "pool": (shrink,),
    },
    "mixed9": LARGE,
    "mixed10": LARGE,
}


def inception_v3(image: Any, name: str, include_top: bool) -> Any:
    """Builds Inception v3."""
    x = chain(image, f"{name}_stem", STEM)
    for part, branches in INCEPTION_V3.items():
        x = module(x, f"{name}_{part}", branches)
    return _classify(x, name) if include_top else x


MIXED_5B: Branches = {
    "1x1": (conv(96, 1),),
    "5x5": (conv(48, 1), conv(64, 5)),
    "3x3dbl": (conv(64, 1), conv(96, 3), conv(96, 3)),
    "pool": (average, conv(64, 1)),
}
MIXED_6A: Branches = {
    "3x3": (conv(384, 3, stride=2),),
    "3x3dbl": (conv(256, 1), conv(256, 3), conv(384, 3, stride=2)),
    "pool": (shrink,),
}
MIXED_7A: Branches = {
    "3x3": (conv(256, 1), conv(384, 3, stride=2)),
    "3x3wide": (conv(256, 1), conv(288, 3, stride=2)),
    "3x3dbl": (conv(256, 1), conv(288, 3), conv(320, 3, stride=2)),
    "pool": (shrink,),
}
BLOCK_35: Branches = {
    "1x1": (conv(32, 1),),
    "3x3": (conv(32, 1), conv(32, 3)),
    "3x3dbl": (conv(32, 1), conv(48, 3), conv(64, 3)),
}
BLOCK_17: Branches = {
    "1x1": (conv(192, 1),),
    "7x7": (conv(128, 1), conv(160, (1, 7)), conv(192, (7, 1))),
}
BLOCK_8: Branches = {
    "1x1": (conv(192, 1),),
    "3x3": (conv(192, 1), conv(224, (1, 3)), conv(256, (3, 1))),
}


def inception_resnet_v2(image: Any, name: str, include_top: bool) -> Any:
    """Builds Inception-ResNet v2."""
    x = chain(image, f"{name}_stem", STEM)
    x = module(x, f"{name}_mixed_5b", MIXED_5B)
    for number in range(1, 11):
        x = _block(x, f"{name}_block35_{number}", BLOCK_35, scale=0.17)
    x = module(x, f"{name}_mixed_6a", MIXED_6A)
    for number in range(1, 21):
        x = _block(x, f"{name}_block17_{number}", BLOCK_17, scale=0.1)
    x = module(x, f"{name}_mixed_7a", MIXED_7A)
    for number in range(1, 10):
        x = _block(x, f"{name}_block8_{number}", BLOCK_8, scale=0.2)
    x = _residual(x, f"{name}_block8_10", BLOCK_8, scale=1.0)
    x = conv(1536, 1)(x, f"{name}_conv_7b")
    return _classify(x, name) if include_top else x


def _block(x: Any, name: str, branches: Branches, scale: float) -> Any:
    x = _residual(x, name, branches, scale)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def _residual(x: Any, name: str, branches: Branches, scale: float) -> Any:
    """Adds the scaled output of a module, brought to the channels of its input."""
    up = module(x, f"{name}_mixed", branches)
    up = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_conv")(up)
    up = keras.layers.Rescaling(scale, name=f"{name}_scale")(up)
    return keras.layers.Add(name=f"{name}_add")([x, up])


def _classify(x: Any, name: str) -> Any:
    x = keras.layers.GlobalAveragePooling2D(name=f"{name}_avg_pool")(x)
    return keras.layers.Dense(1000, activation="softmax", name=f"{name}_predictions")(x)


INCEPTION: dict[str, Backbone] = {
    "InceptionV3": Backbone(
        inception_v3,
        (
            Level("stem_1_relu", ((1, 0), (1, 0))),
            Level("stem_5_relu", ((1, 1), (1, 1))),
            Level("mixed3_3x3dbl_2_relu", ((2, 1), (2, 1))),
            Level("mixed8_7x7x3_3_relu", ((1, 1), (1, 1))),
            Level("mixed10", ((1, 1), (1, 1))),
        ),
        scaling="tf",
        smallest_side=75,
    ),
    "InceptionResNetV2": Backbone(
        inception_resnet_v2,
        (
            Level("stem_1_relu", ((1, 0), (1, 0))),
            Level("stem_5_relu", ((1, 1), (1, 1))),
            Level("mixed_6a_3x3dbl_2_relu", ((2, 1), (2, 1))),
            Level("mixed_7a_3x3dbl_2_relu", ((1, 1), (1, 1))),
            Level("conv_7b_relu", ((1, 1), (1, 1))),
        ),
        scaling="tf",
        smallest_side=75,
    ),
}
