"""All networks, by their names in the layer language."""

from dlae_core.backbones.densenet import DENSENET
from dlae_core.backbones.inception import INCEPTION
from dlae_core.backbones.mobilenet import MOBILENET
from dlae_core.backbones.resnet import RESNET
from dlae_core.backbones.resnext import RESNEXT
from dlae_core.backbones.row import Backbone
from dlae_core.backbones.vgg import VGG
from dlae_core.backbones.xception import XCEPTION

BACKBONES: dict[str, Backbone] = {
    **XCEPTION,
    **VGG,
    **RESNET,
    **RESNEXT,
    **INCEPTION,
    **DENSENET,
    **MOBILENET,
}
