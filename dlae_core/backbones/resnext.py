"""ResNeXt: ResNet whose 3x3 convolutions work in 32 groups of channels.

A stage strides in the grouped convolution of its first block. No convolution has a bias.

Reference: S. Xie et al., Aggregated Residual Transformations for Deep Neural Networks, CVPR 2017,
arXiv:1611.05431.
"""

from typing import Any

import keras

from dlae_core.backbones.row import Backbone, Build, levels
from dlae_core.backbones.tracing import named

GROUPS = 32
EPSILON = 1.001e-5
# Width of the grouped convolutions of a stage, and stride.
STAGES = ((128, 1), (256, 2), (512, 2), (1024, 2))


def resnext(blocks: tuple[int, int, int, int]) -> Build:
    """Returns the builder of a network with so many blocks in its four stages."""

    def build(image: Any, name: str, include_top: bool) -> Any:
        x = keras.layers.ZeroPadding2D(3, name=f"{name}_conv1_pad")(image)
        x = _convolve(x, f"{name}_conv1_conv", 64, size=7, stride=2)
        x = _rectify(_normalize(x, f"{name}_conv1_bn"), f"{name}_conv1_relu")
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_pool1_pad")(x)
        x = keras.layers.MaxPooling2D(3, strides=2, name=f"{name}_pool1_pool")(x)
        for stage, (count, (width, stride)) in enumerate(zip(blocks, STAGES, strict=True), start=2):
            for block in range(1, count + 1):
                first = block == 1
                x = _block(x, f"{name}_conv{stage}_block{block}", width, stride if first else 1)
        return _classify(x, name) if include_top else x

    return build


def _block(x: Any, name: str, width: int, stride: int) -> Any:
    """Bottleneck of 1x1, grouped 3x3 and 1x1 convolution, added to the identity or a projection."""
    shortcut = x
    if x.shape[-1] != 2 * width:
        shortcut = _convolve(x, f"{name}_0_conv", 2 * width, stride=stride)
        shortcut = _normalize(shortcut, f"{name}_0_bn")
    x = _convolve(x, f"{name}_1_conv", width)
    x = _rectify(_normalize(x, f"{name}_1_bn"), f"{name}_1_relu")
    x = convolve_groups(x, f"{name}_2", stride)
    x = _rectify(_normalize(x, f"{name}_2_bn"), f"{name}_2_relu")
    x = _normalize(_convolve(x, f"{name}_3_conv", 2 * width), f"{name}_3_bn")
    return _rectify(keras.layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def convolve_groups(x: Any, name: str, stride: int) -> Any:
    """3x3 convolution in 32 groups that keeps the number of channels.

    Each channel is convolved once for every output of its group, then a group's channels are
    summed: as fast as a plain convolution on CPUs, and its kernel is that of the ImageNet files.
    `Conv2D(groups=32)` has the same weights in another order, but its gradient takes a hundred
    times longer on CPUs.
    """
    width = x.shape[-1]
    members = width // GROUPS
    x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = keras.layers.DepthwiseConv2D(
        3, strides=stride, depth_multiplier=members, use_bias=False, name=f"{name}_conv"
    )(x)
    space = x.shape[1:3]
    x = keras.layers.Reshape((*space, GROUPS, members, members), name=f"{name}_split")(x)
    x = named(keras.ops.sum(x, axis=-2), f"{name}_sum")
    return keras.layers.Reshape((*space, width), name=f"{name}_join")(x)


def _convolve(x: Any, name: str, filters: int, size: int = 1, stride: int = 1) -> Any:
    return keras.layers.Conv2D(filters, size, strides=stride, use_bias=False, name=name)(x)


def _normalize(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=EPSILON, name=name)(x)


def _rectify(x: Any, name: str) -> Any:
    return keras.layers.Activation("relu", name=name)(x)


def _classify(x: Any, name: str) -> Any:
    x = keras.layers.GlobalAveragePooling2D(name=f"{name}_avg_pool")(x)
    return keras.layers.Dense(1000, activation="softmax", name=f"{name}_predictions")(x)


LEVELS = levels(
    "conv1_relu",
    "conv3_block1_1_relu",
    "conv4_block1_1_relu",
    "conv5_block1_1_relu",
    "conv5_block3_out",
)

RESNEXT: dict[str, Backbone] = {
    "ResNeXt50": Backbone(resnext((3, 4, 6, 3)), LEVELS, scaling="torch"),
    "ResNeXt101": Backbone(resnext((3, 4, 23, 3)), LEVELS, scaling="torch"),
}
