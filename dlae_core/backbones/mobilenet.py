"""MobileNet: depthwise and pointwise convolutions; V2 with inverted residual blocks.

References: A. Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications, 2017, arXiv:1704.04861. M. Sandler et al., MobileNetV2: Inverted Residuals and Linear
Bottlenecks, CVPR 2018, arXiv:1801.04381.
"""

import keras

from dlae_core.backbones.applications import application
from dlae_core.backbones.row import Backbone, levels

MOBILENET: dict[str, Backbone] = {
    "MobileNet": Backbone(
        application(keras.applications.MobileNet),
        levels(*(f"conv_pw_{block}_relu" for block in (1, 3, 5, 11, 13))),
        scaling="tf",
    ),
    "MobileNetV2": Backbone(
        application(keras.applications.MobileNetV2),
        levels(*(f"block_{block}_expand_relu" for block in (1, 3, 6, 13)), "out_relu"),
        scaling="tf",
    ),
}
