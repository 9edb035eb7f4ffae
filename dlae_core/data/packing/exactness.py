"""Types that hold numbers without a change."""

import numpy as np

from dlae_core.data.source import Array

_WHOLE = (np.int16, np.int32)


def smallest_exact(values: Array) -> Array:
    """Returns numbers as int16 or int32 where they all are whole and fit, else as float32."""
    if values.size and np.isfinite(values).all() and (values == np.rint(values)).all():
        low, high = values.min(), values.max()
        for dtype in _WHOLE:
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return values.astype(dtype)
    return values.astype(np.float32)
