"""What losses reduce over, and the number format they compute in."""

from typing import Any

import keras
from keras import ops


def all_but_last(tensor: Any) -> tuple[int, ...]:
    """Returns the axes of a tensor but the class axis."""
    return tuple(range(len(tensor.shape) - 1))


def full_precision(tensor: Any) -> Any:
    """Returns a tensor of float16 or bfloat16 as float32, any other one as it is.

    Sums over an image do not fit 16 bits, and neither does the smallest probability. Derivatives
    go back in the precision they came in, and bfloat16 holds all of them; float16 ends at 65504, so
    that a network of float16 needs its last layer in float32.
    """
    kind = keras.backend.standardize_dtype(tensor.dtype)
    return ops.cast(tensor, "float32") if kind in ("float16", "bfloat16") else tensor


def as_one_hot(y_true: Any, classes: int) -> Any:
    """Returns class numbers int32 (..., 1) as float32 (..., classes)."""
    return ops.one_hot(ops.squeeze(y_true, -1), classes, dtype="float32")
