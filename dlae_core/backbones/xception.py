"""Xception: separable convolutions with residual connections.

Levels 2 to 4 are taken before a block's pooling and residual addition.

Reference: F. Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017,
arXiv:1610.02357.
"""

import keras

from dlae_core.backbones.applications import application
from dlae_core.backbones.row import Backbone, Level

XCEPTION: dict[str, Backbone] = {
    "Xception": Backbone(
        application(keras.applications.Xception),
        (
            Level("block1_conv1_act", ((1, 0), (1, 0))),
            Level("block3_sepconv2_bn", ((1, 0), (1, 0))),
            Level("block4_sepconv2_bn"),
            Level("block13_sepconv2_bn"),
            Level("block14_sepconv2_act"),
        ),
        scaling="tf",
        smallest_side=71,
    ),
}
