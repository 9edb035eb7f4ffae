"""VGG: stacks of 3x3 convolutions between poolings.

The deepest level is taken before the last pooling, the output after it.

Reference: K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image
Recognition, ICLR 2015, arXiv:1409.1556.
"""

import keras

from dlae_core.backbones.applications import application
from dlae_core.backbones.row import Backbone, levels

VGG: dict[str, Backbone] = {
    "VGG16": Backbone(
        application(keras.applications.VGG16),
        levels("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"),
        scaling="caffe",
    ),
    "VGG19": Backbone(
        application(keras.applications.VGG19),
        levels("block1_conv2", "block2_conv2", "block3_conv4", "block4_conv4", "block5_conv4"),
        scaling="caffe",
    ),
}
