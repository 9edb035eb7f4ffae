"""Losses of regression."""

from typing import Any

from keras import ops

from dlae_core.losses.reduction import full_precision


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean of `(p - y)^2`, scalar. Both float32 (batch, ...)."""
    return ops.mean(ops.square(full_precision(y_pred) - full_precision(y_true)))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean of `|p - y|`, scalar. Both float32 (batch, ...)."""
    return ops.mean(ops.abs(full_precision(y_pred) - full_precision(y_true)))
