"""All losses by their name in `loss_function.loss`.

A loss takes `y_true` and `y_pred` of a batch and returns one number, float32 whatever the precision
of the network. Written with `keras.ops`, so that it runs on any Keras backend.

The losses of GANs and detectors compare more than one output with one target: they are functions
in `adversarial` and `detection`, and `parameters` knows their defaults.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import AdditionalLoss, Config, LossFunction
from dlae_core.data.targets import TargetKind
from dlae_core.losses.entropy import (
    categorical_crossentropy,
    focal,
    sparse_categorical_crossentropy,
)
from dlae_core.losses.overlap import jaccard, jaccard_set, soft_dice, tversky
from dlae_core.losses.reduction import as_one_hot, full_precision
from dlae_core.losses.regression import mean_absolute_error, mean_squared_error

Loss = Callable[[Any, Any], Any]
Weights = NDArray[np.float64] | None
Settings = LossFunction | AdditionalLoss


@dataclass(frozen=True)
class LossRow:
    """A loss of the configuration.

    Attributes:
        function: `function(y_true, y_pred, *parameters)`, and `weights` where it takes them.
        target_kind: What `y_true` is.
        defaults: Parameters where the configuration leaves them out, and their number.
        weighting: Whether pixels are weighted by their class: never, by
            `preprocessing.weight_loss_switch`, or always.
    """

    function: Callable[..., Any]
    target_kind: TargetKind
    defaults: tuple[float, ...] = ()
    weighting: Literal["never", "switched", "always"] = "never"

    def build(self, settings: Settings, weights: Weights = None) -> Loss:
        """Returns the loss with its parameters.

        Args:
            settings: Parameters as configured.
            weights: Class weights, float64 (classes,); None: not weighted.
        """
        given = parameters(settings, self.defaults)
        if weights is not None and self.weighting != "never":
            factors = np.asarray(weights, np.float32)
            return lambda y_true, y_pred: self.function(y_true, y_pred, *given, weights=factors)
        return lambda y_true, y_pred: self.function(y_true, y_pred, *given)


LOSSES: dict[str, LossRow] = {
    "categorical_crossentropy": LossRow(categorical_crossentropy, "one_hot", weighting="switched"),
    "weighted_categorical_crossentropy": LossRow(
        categorical_crossentropy, "one_hot", weighting="always"
    ),
    "sparse_categorical_crossentropy": LossRow(
        sparse_categorical_crossentropy, "sparse", weighting="switched"
    ),
    "mean_squared_error": LossRow(mean_squared_error, "values"),
    "mean_absolute_error": LossRow(mean_absolute_error, "values"),
    "tversky": LossRow(tversky, "one_hot", (0.5, 0.5)),
    "jaccard": LossRow(jaccard, "one_hot", (100.0,), "switched"),
    "jaccard_set": LossRow(jaccard_set, "one_hot", (1e-6,)),
    "focal": LossRow(focal, "one_hot", (0.25, 2.0), "switched"),
    "soft_dice": LossRow(soft_dice, "one_hot", (1e-6,)),
}

# Parameters of the losses that are not of one output and one target.
FAMILY_DEFAULTS: dict[str, tuple[float, ...]] = {
    "pix2pix": (100.0,),
    "cyclegan": (10.0, 0.5),
    "ssd": (3.0, 1.0),
}


@dataclass(frozen=True)
class Objective:
    """What training minimizes: a loss, and others added to it.

    Attributes:
        loss: Counts with weight 1; its target is what all losses are given.
        additional: In the order of `loss_function.additional_losses`.
        switched: Whether `preprocessing.weight_loss_switch` is on.
    """

    loss: LossRow
    additional: tuple[LossRow, ...] = ()
    switched: bool = False

    @property
    def target_kind(self) -> TargetKind:
        """What `y_true` is."""
        return self.loss.target_kind

    @property
    def weighted(self) -> bool:
        """Whether class weights are needed."""
        return any(self._is_weighted(row) for row in (self.loss, *self.additional))

    def build(self, settings: LossFunction, weights: Weights) -> Loss:
        """Returns `loss + sum_i weight_i additional_i` with their parameters.

        Args:
            settings: Parameters as configured.
            weights: Class weights, float64 (classes,), where `weighted`.

        Raises:
            ValueError: Class weights are needed and not given.
        """
        if self.weighted and weights is None:
            raise ValueError("expected class weights for a weighted loss, got none")
        terms = [(1.0, self._term(self.loss, settings, weights))]
        for row, one in zip(self.additional, settings.additional_losses, strict=True):
            terms.append((one.weight, self._term(row, one, weights)))

        def total(y_true: Any, y_pred: Any) -> Any:
            truth, output = full_precision(y_true), full_precision(y_pred)
            return sum(weight * term(truth, output) for weight, term in terms)

        return total

    def _is_weighted(self, row: LossRow) -> bool:
        return row.weighting == "always" or (row.weighting == "switched" and self.switched)

    def _term(self, row: LossRow, settings: Settings, weights: Weights) -> Loss:
        loss = row.build(settings, weights if self._is_weighted(row) else None)
        if self.target_kind != "sparse" or row.target_kind == "sparse":
            return loss
        return lambda y_true, y_pred: loss(as_one_hot(y_true, y_pred.shape[-1]), y_pred)


def loss_row(config: Config) -> Objective:
    """Returns what a resolved configuration minimizes."""
    settings = config.loss_function
    return Objective(
        LOSSES[settings.loss],
        tuple(LOSSES[one.loss] for one in settings.additional_losses),
        config.preprocessing.weight_loss_switch,
    )


def parameters(settings: Settings, defaults: tuple[float, ...]) -> tuple[float, ...]:
    """Returns the parameters of a loss, as configured or else by default.

    Args:
        settings: As configured.
        defaults: One per parameter that the loss takes.
    """
    names = ("parameter1", "parameter2")[: len(defaults)]
    return tuple(
        getattr(settings, name) if settings.HasField(name) else default
        for name, default in zip(names, defaults, strict=True)
    )
