"""Losses of regression."""

from typing import Any

from keras import ops


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean of `(p - y)^2`, scalar. Both float32 (batch, ...)."""
    return ops.mean(ops.square(y_pred - y_true))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Returns the mean of `|p - y|`, scalar. Both float32 (batch, ...)."""
    return ops.mean(ops.abs(y_pred - y_true))
