"""How the networks of a GAN learn."""

from collections.abc import Sequence
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.losses import FAMILY_DEFAULTS, parameters
from dlae_core.monitors import LossParts, Monitors
from dlae_core.steps import (
    AdversarialSteps,
    Adversaries,
    CycleGanSteps,
    ImagePool,
    Pix2PixSteps,
    Steps,
)
from dlae_core.training.measuring import monitors_of
from dlae_core.training_data import TrainingData

_STEPS: dict[str, type[AdversarialSteps]] = {"pix2pix": Pix2PixSteps, "cyclegan": CycleGanSteps}
_PARTS = {
    "pix2pix": ("g_loss", "g_adv", "g_recon", "d_loss", "d_acc"),
    "cyclegan": ("g_loss", "g_adv", "g_recon", "g_identity", "d_loss", "d_acc"),
}


def adversarial(
    config: Config, networks: Sequence[Network], data: TrainingData, optimizers: Sequence[Any]
) -> tuple[Steps, Monitors]:
    """Returns the steps of a GAN, and what they sum up.

    `g_adv`, `g_recon` and `g_identity` are means over the generators, not weighted; `d_loss` and
    `d_acc` means over the discriminators, `d_acc` from 0 to 1.

    Args:
        config: Resolved and checked.
        networks: Generators, then discriminators.
        data: To train on.
        optimizers: Of the generators, then of each discriminator.
    """
    family, settings = family_of(config).name, config.training_configurations
    models = [network.model for network in networks]
    judges = networks[len(networks) // 2 :]
    seed = config.augmentation.random_seed
    pools = [
        ImagePool(settings.image_pool, _seen(network), seed + number)
        for number, network in enumerate(judges)
    ]
    monitors = LossParts(_PARTS[family], monitors_of(config, networks[0]))
    weights = parameters(config.loss_function, FAMILY_DEFAULTS[family])
    adversaries = Adversaries(models, optimizers, pools)
    return _STEPS[family](adversaries, weights, monitors, settings.jit_compile_switch), monitors


def _seen(discriminator: Network) -> tuple[int, ...]:
    """Returns the shape of what a discriminator sees, the channels of all its inputs joined."""
    inputs = discriminator.model.inputs
    return (*inputs[0].shape[1:-1], sum(one.shape[-1] for one in inputs))
