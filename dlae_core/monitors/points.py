"""How far predicted points are from true ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from dlae_core.monitors.monitor import Monitor, mean_of_samples


@dataclass(frozen=True)
class Points:
    """What the numbers of a regression of coordinates are: points, one after the other.

    Attributes:
        axes: Coordinates of a point: row, column (and slice), in pixels.
        spacing: Length of a pixel along each axis, in mm; None: not known.
    """

    axes: int
    spacing: tuple[float, ...] | None = None


def point_monitors(points: Points) -> list[Monitor]:
    """Returns `coordinate_error`, the mean distance in pixels over all points of an epoch.

    Where the spacing is known, `coordinate_error_mm` is the same in mm.
    """
    found = [_distance("coordinate_error", points.axes, (1.0,) * points.axes)]
    if points.spacing is not None:
        found.append(_distance("coordinate_error_mm", points.axes, points.spacing))
    return found


def _distance(name: str, axes: int, spacing: tuple[float, ...]) -> Monitor:
    lengths = np.asarray(spacing, np.float32)

    def of(y_true: Any, y_pred: Any) -> Any:
        difference = ops.reshape(y_pred - y_true, (-1, axes)) * lengths
        return ops.mean(ops.sqrt(ops.sum(ops.square(difference), axis=-1)))

    return mean_of_samples(name, of)
