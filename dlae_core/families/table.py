"""All families by their name: a kind of model, or a kind of GAN."""

from dlae.v1.config_pb2 import Config
from dlae_core.families.base import Family
from dlae_core.families.bbd import Bbd
from dlae_core.families.cnn import Cnn
from dlae_core.families.cyclegan import CycleGan
from dlae_core.families.fcn import Fcn
from dlae_core.families.pix2pix import Pix2Pix
from dlae_core.families.supervised import Supervised

SUPERVISED: dict[str, Supervised] = {family.name: family for family in (Cnn(), Fcn())}
FAMILIES: dict[str, Family] = {
    **SUPERVISED,
    **{family.name: family for family in (Bbd(), Pix2Pix(), CycleGan())},
}


def family_of(config: Config) -> Family:
    """Returns the family of a checked configuration. GANs are told apart by their loss."""
    family = FAMILIES.get(config.config_file.model_signal)
    return family or FAMILIES[config.loss_function.loss]
