"""Optimizers, the learning rate over time, and when to stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from dlae.v1.config_pb2 import LearningRateSchedule, Optimizer

EPSILON = 1e-7
# Below this a float32 is not a normal number, and 0 / sqrt(0 + epsilon) no number at all.
SMALLEST_EPSILON_IN_ROOT = 1e-37
SMALLEST_RATE = 1e-9
# A smaller drop of the validation loss does not end a plateau.
SMALLEST_IMPROVEMENT = 1e-4


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
    "NAdam": OptimizerRow(keras.optimizers.Nadam, _MOMENTS),
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


def build_optimizer(settings: Optimizer, learning_rate: float) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a resolved configuration. An epsilon left out is 1e-7.

    Differs: RMSprop and Adagrad add the square of epsilon inside the root, where DLAE 1.0 added
    epsilon to the root; NAdam, which 1.0 could not build, works (O2).
    """
    row = OPTIMIZERS[settings.optimizer]
    arguments: dict[str, Any] = {name: getattr(settings, key) for name, key in row.settings.items()}
    if "epsilon" in arguments and not settings.HasField("epsilon"):
        arguments["epsilon"] = EPSILON
    if row.epsilon_in_root:
        arguments["epsilon"] = max(arguments["epsilon"] ** 2, SMALLEST_EPSILON_IN_ROOT)
    return row.build(learning_rate=learning_rate, **arguments, **row.fixed)


class LearningRate:
    """The learning rate of every update.

    `rate = learning_rate / (1 + decay t) * factor^floor(epoch / period) * plateau`, at least 1e-9:
    per-update decay, steps and plateaus multiply.

    Differs: DLAE 1.0 read the step decay and never used it (O4).
    """

    def __init__(self, settings: LearningRateSchedule) -> None:
        self._settings = settings
        self._plateau = 1.0
        self._best = float("inf")
        self._waited = 0
        self._cooldown = 0

    def rate(self, update: int, epoch: int) -> float:
        """Returns the rate of an update.

        Args:
            update: Updates done before, in the whole training.
            epoch: From 0.
        """
        settings = self._settings
        rate = settings.learning_rate / (1 + settings.learning_rate_decay_factor * update)
        if settings.step_decay_switch:
            rate *= settings.step_decay_factor ** (epoch // settings.step_decay_period)
        return max(rate * self._plateau, SMALLEST_RATE)

    def epoch_finished(self, validation_loss: float | None) -> None:
        """Reduces the rate where the validation loss has stalled for `patience` epochs.

        After a reduction, as many epochs pass before waiting begins again. As in Keras's
        ReduceLROnPlateau with `min_delta` 1e-4 and `cooldown` equal to `patience`.
        """
        if not self._settings.decay_on_plateau_switch or validation_loss is None:
            return
        patience = self._settings.decay_on_plateau_patience
        if self._cooldown > 0:
            self._cooldown -= 1
            self._waited = 0
        if validation_loss < self._best - SMALLEST_IMPROVEMENT:
            self._best, self._waited = validation_loss, 0
        elif self._cooldown <= 0:
            self._waited += 1
            if self._waited >= patience:
                self._plateau *= self._settings.decay_on_plateau_factor
                self._cooldown, self._waited = patience, 0


class EarlyStopping:
    """Stops training after `patience` epochs in which the validation loss did not fall."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._best = float("inf")
        self._waited = 0

    def epoch_finished(self, validation_loss: float | None) -> bool:
        """Returns whether to stop. Without a validation loss training goes on."""
        if validation_loss is None:
            return False
        if validation_loss < self._best:
            self._best, self._waited = validation_loss, 0
            return False
        self._waited += 1
        return self._waited >= self._patience
