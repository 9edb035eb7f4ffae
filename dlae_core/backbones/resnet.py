"""ResNet: bottleneck blocks around which the identity passes; V2 normalizes before convolving.

Version 1 strides in the first 1x1 convolution of a stage, V2 in the 3x3 convolution of a stage's
last block. Levels 2 to 4 of V2 lie inside the last block of a stage, before it strides.

Differs: ResNet152V2 takes level 2 from the second block of the first stage, as DLAE 1.0 did.

References: K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016,
arXiv:1512.03385. K. He et al., Identity Mappings in Deep Residual Networks, ECCV 2016,
arXiv:1603.05027.
"""

from collections.abc import Callable

import keras

from dlae_core.backbones.applications import application
from dlae_core.backbones.row import Backbone, Level, levels


def _version_1(function: Callable[..., keras.Model], blocks: tuple[int, int, int, int]) -> Backbone:
    """Returns a row; `blocks` is how many each stage has."""
    outputs = [f"conv{stage}_block{count}_out" for stage, count in enumerate(blocks, start=2)]
    return Backbone(application(function), levels("conv1_relu", *outputs), scaling="caffe")


def _version_2(function: Callable[..., keras.Model], blocks: tuple[int, int, int]) -> Backbone:
    """Returns a row; `blocks` are those that hold levels 2 to 4."""
    inner = [f"conv{stage}_block{block}_1_relu" for stage, block in enumerate(blocks, start=2)]
    first = Level("conv1_conv", normalized=True)
    return Backbone(application(function), (first, *levels(*inner, "post_relu")), scaling="tf")


RESNET: dict[str, Backbone] = {
    "ResNet50": _version_1(keras.applications.ResNet50, (3, 4, 6, 3)),
    "ResNet101": _version_1(keras.applications.ResNet101, (3, 4, 23, 3)),
    "ResNet152": _version_1(keras.applications.ResNet152, (3, 8, 36, 3)),
    "ResNet50V2": _version_2(keras.applications.ResNet50V2, (3, 4, 6)),
    "ResNet101V2": _version_2(keras.applications.ResNet101V2, (3, 4, 16)),
    "ResNet152V2": _version_2(keras.applications.ResNet152V2, (2, 8, 36)),
}
