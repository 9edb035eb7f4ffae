"""All families by their name in `config_file.model_signal`."""

from dlae_core.families.base import Family
from dlae_core.families.cnn import Cnn
from dlae_core.families.fcn import Fcn

FAMILIES: dict[str, Family] = {family.name: family for family in (Cnn(), Fcn())}
