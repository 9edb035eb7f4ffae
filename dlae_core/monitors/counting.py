"""Counts of pixels that stay exact: float32 alone holds no whole number above 2^24."""

from typing import Any

import numpy as np
from keras import ops

from dlae_core.monitors.monitor import Float64

_UNIT = 4096


def split_counts(counts: Any) -> Any:
    """Returns counts as units of 4096 and rest, so that sums of both are exact.

    Args:
        counts: float32 or int32 (..., n), each exact.

    Returns:
        float32 (..., 2 n).
    """
    units = ops.floor_divide(counts, _UNIT)
    return ops.cast(ops.concatenate([units, counts - units * _UNIT], axis=-1), "float32")


def joined_counts(parts: Float64) -> Float64:
    """Returns sums of what `split_counts` gives, float64 (2 n,), as counts, float64 (n,)."""
    units, rest = np.split(parts, 2)
    return units * _UNIT + rest
