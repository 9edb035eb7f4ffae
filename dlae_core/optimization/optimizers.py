"""All optimizers by their name in `optimizer.optimizer`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from dlae.v1.config_pb2 import Optimizer
from dlae_core.optimization.nadam import Nadam

EPSILON = 1e-7
# Below this a float32 is not a normal number, and 0 / sqrt(0 + epsilon) no number at all.
SMALLEST_EPSILON_IN_ROOT = 1e-37


@dataclass(frozen=True)
class OptimizerRow:
    """An optimizer of the configuration.

    Attributes:
        build: The Keras class.
        settings: Keras argument to configuration key.
        epsilon_in_root: Whether Keras adds epsilon under the root, where DLAE 1.0 added it to the
            root; its square there is the same but for gradients of its own size.
        fixed: Further arguments.
    """

    build: Callable[..., keras.optimizers.Optimizer]
    settings: dict[str, str]
    epsilon_in_root: bool = False
    fixed: Mapping[str, float] = field(default_factory=dict)


_MOMENTS = {"beta_1": "beta1", "beta_2": "beta2", "epsilon": "epsilon"}

OPTIMIZERS: dict[str, OptimizerRow] = {
    "Adam": OptimizerRow(keras.optimizers.Adam, _MOMENTS),
    "NAdam": OptimizerRow(Nadam, _MOMENTS),
    "SGD": OptimizerRow(keras.optimizers.SGD, {"momentum": "momentum"}),
    "RMSprop": OptimizerRow(
        keras.optimizers.RMSprop, {"rho": "rho", "epsilon": "epsilon"}, epsilon_in_root=True
    ),
    "Adagrad": OptimizerRow(
        keras.optimizers.Adagrad,
        {"epsilon": "epsilon"},
        epsilon_in_root=True,
        fixed={"initial_accumulator_value": 0.0},
    ),
    "Adadelta": OptimizerRow(keras.optimizers.Adadelta, {"rho": "rho", "epsilon": "epsilon"}),
    "Adamax": OptimizerRow(keras.optimizers.Adamax, _MOMENTS),
}


# Keras argument to configuration key, of every optimizer; left out where it is None or 0.
_LIMITS = {
    "global_clipnorm": "gradient_clip_norm",
    "clipvalue": "gradient_clip_value",
    "weight_decay": "weight_decay",
}


def build_optimizer(settings: Optimizer, learning_rate: float) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a resolved configuration. An epsilon left out is 1e-7.

    Gradients are cut down before anything else happens to them. Weight decay is decoupled: it goes
    past the moments, and takes from all weights `weight_decay * learning_rate` of themselves.

    Reference: Pascanu, Mikolov, Bengio (2013), On the difficulty of training recurrent neural
    networks; Loshchilov, Hutter (2019), Decoupled weight decay regularization.
    Differs: RMSprop and Adagrad add the square of epsilon inside the root, where DLAE 1.0 added
    epsilon to the root; NAdam, which 1.0 could not build, works (O2); clipping and weight decay are
    added.
    """
    row = OPTIMIZERS[settings.optimizer]
    arguments: dict[str, Any] = {name: getattr(settings, key) for name, key in row.settings.items()}
    if "epsilon" in arguments and not settings.HasField("epsilon"):
        arguments["epsilon"] = EPSILON
    if row.epsilon_in_root:
        arguments["epsilon"] = max(arguments["epsilon"] ** 2, SMALLEST_EPSILON_IN_ROOT)
    limits = {name: getattr(settings, key) or None for name, key in _LIMITS.items()}
    return row.build(learning_rate=learning_rate, **arguments, **limits, **row.fixed)
