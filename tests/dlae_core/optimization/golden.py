"""Measured optimizers and schedules of DLAE 1.0."""

import json
from functools import cache
from typing import Any

import numpy as np

from tests.reference import reference_path


@cache
def schedules() -> dict[str, Any]:
    """Returns golden/schedules.json."""
    return json.loads(reference_path("golden", "schedules.json").read_text())


@cache
def arrays() -> dict[str, np.ndarray]:
    """Returns the arrays of golden/schedules.npz."""
    with np.load(reference_path("golden", "schedules.npz")) as file:
        return dict(file)
