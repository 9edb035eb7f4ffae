"""All losses by their name in `loss_function.loss`.

A loss takes `y_true` and `y_pred` of a batch and returns one number. Written with `keras.ops`, so
that it runs on any Keras backend.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config, LossFunction
from dlae_core.data.targets import TargetKind
from dlae_core.losses.entropy import (
    categorical_crossentropy,
    focal,
    sparse_categorical_crossentropy,
    weighted_categorical_crossentropy,
)
from dlae_core.losses.overlap import jaccard, soft_dice, tversky
from dlae_core.losses.regression import mean_absolute_error, mean_squared_error

Loss = Callable[[Any, Any], Any]
Weights = NDArray[np.float64] | None


@dataclass(frozen=True)
class LossRow:
    """A loss of the configuration.

    Attributes:
        function: `function(y_true, y_pred, *parameters)`.
        target_kind: What `y_true` is.
        defaults: Parameters where the configuration leaves them out, and their number.
        weighted: Whether it takes class weights instead of parameters.
    """

    function: Callable[..., Any]
    target_kind: TargetKind
    defaults: tuple[float, ...] = ()
    weighted: bool = False

    def build(self, settings: LossFunction, weights: Weights) -> Loss:
        """Returns the loss with its parameters.

        Args:
            settings: Parameters as configured.
            weights: Class weights, float64 (classes,), where the loss is weighted.
        """
        if self.weighted:
            factors = np.asarray(weights, np.float32)
            return lambda y_true, y_pred: self.function(y_true, y_pred, factors)
        names = ("parameter1", "parameter2")[: len(self.defaults)]
        parameters = tuple(
            getattr(settings, name) if settings.HasField(name) else default
            for name, default in zip(names, self.defaults, strict=True)
        )
        return lambda y_true, y_pred: self.function(y_true, y_pred, *parameters)


LOSSES: dict[str, LossRow] = {
    "categorical_crossentropy": LossRow(categorical_crossentropy, "one_hot"),
    "weighted_categorical_crossentropy": LossRow(
        weighted_categorical_crossentropy, "one_hot", weighted=True
    ),
    "sparse_categorical_crossentropy": LossRow(sparse_categorical_crossentropy, "sparse"),
    "mean_squared_error": LossRow(mean_squared_error, "values"),
    "mean_absolute_error": LossRow(mean_absolute_error, "values"),
    "tversky": LossRow(tversky, "one_hot", (0.5, 0.5)),
    "jaccard": LossRow(jaccard, "one_hot", (100.0,)),
    "focal": LossRow(focal, "one_hot", (0.25, 2.0)),
    "soft_dice": LossRow(soft_dice, "one_hot", (1e-6,)),
}

# What `preprocessing.weight_loss_switch` turns a loss into.
WEIGHTED = {"categorical_crossentropy": "weighted_categorical_crossentropy"}


def loss_row(config: Config) -> LossRow:
    """Returns the loss of a resolved configuration, the weighted one where it is switched on."""
    name = config.loss_function.loss
    if config.preprocessing.weight_loss_switch:
        name = WEIGHTED.get(name, name)
    return LOSSES[name]
