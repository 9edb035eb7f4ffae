"""How often a training step runs each network, and how."""

from dataclasses import dataclass

from dlae.v1.config_pb2 import Config


@dataclass(frozen=True)
class Role:
    """What one training step does with one network, for one batch.

    Attributes:
        updates: Runs whose gradients change its weights.
        through: Runs whose gradients only pass through it, its weights held.
        kept: Runs whose intermediate results are in memory together.
        optimizer: Setting of the section `optimizer` that drives it; empty for the section itself.
    """

    updates: int = 1
    through: int = 0
    kept: int = 1
    optimizer: str = ""


ALONE = Role()

_DISCRIMINATOR = Role(updates=2, through=1, optimizer="discriminator_optimizer")

# By loss, then by the beginning of the network's name: what `steps.adversarial` does.
ROLES: dict[str, dict[str, Role]] = {
    "pix2pix": {
        "generator": Role(optimizer="gan_optimizer"),
        "discriminator": _DISCRIMINATOR,
    },
    "cyclegan": {
        "generator": Role(updates=3, kept=3, optimizer="gan_optimizer"),
        "discriminator": _DISCRIMINATOR,
    },
}


def role_of(name: str, config: Config) -> Role:
    """Returns what the training of a configuration does with a network of this name."""
    rows = ROLES.get(config.loss_function.loss, {})
    return next((role for start, role in rows.items() if name.startswith(start)), ALONE)
