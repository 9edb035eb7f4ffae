"""DenseNet: each layer reads all earlier ones of its block.

Reference: G. Huang et al., Densely Connected Convolutional Networks, CVPR 2017, arXiv:1608.06993.
"""

import keras

from dlae_core.backbones.applications import application
from dlae_core.backbones.row import Backbone, levels

LEVELS = levels("conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu")

DENSENET: dict[str, Backbone] = {
    "DenseNet121": Backbone(application(keras.applications.DenseNet121), LEVELS, "torch"),
    "DenseNet169": Backbone(application(keras.applications.DenseNet169), LEVELS, "torch"),
    "DenseNet201": Backbone(application(keras.applications.DenseNet201), LEVELS, "torch"),
}
