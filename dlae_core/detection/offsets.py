"""Boxes relative to anchors, as a detector predicts them, and back.

Of `centroids`, centres are relative to the anchor's sides and sides are logarithms of ratios; of
`corners` and `minmax`, every edge is relative to the anchor's side along its axis. Each of the four
numbers is then divided by its variance.

Reference: Liu et al., SSD: single shot multibox detector, 2016, equation 2.
Differs: DLAE 1.0 always took centroids (X4).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.boxes import CENTROIDS, CORNERS, MINMAX, Float64, from_corners, to_corners

# Which of an anchor's sides, width and height, an edge is relative to.
_SIDE_OF_EDGE = {CORNERS: [0, 1, 0, 1], MINMAX: [0, 0, 1, 1]}
# Logarithm of the largest ratio of sides; an untrained network must not predict infinite boxes.
_LARGEST_GROWTH = 20.0


def encoded(boxes: Float64, anchors: Float64, variances: NDArray[Any], form: str) -> Float64:
    """Returns boxes relative to anchors, float64 (count, 4).

    Args:
        boxes: Corners with an area, float64 (count, 4).
        anchors: Corners with an area, float64 (count, 4), in the same units.
        variances: Of the four numbers, (4,) or (count, 4).
        form: `centroids`, `corners` or `minmax`.
    """
    sides = anchors[:, 2:] - anchors[:, :2]
    wanted, given = from_corners(boxes, form), from_corners(anchors, form)
    if form == CENTROIDS:
        moved = (wanted[:, :2] - given[:, :2]) / sides
        relative = np.concatenate([moved, np.log(wanted[:, 2:] / sides)], axis=1)
    else:
        relative = (wanted - given) / sides[:, _SIDE_OF_EDGE[form]]
    found: Float64 = relative / variances
    return found


def decoded(
    offsets: NDArray[Any], anchors: NDArray[Any], variances: NDArray[Any], form: str
) -> Float64:
    """Returns the corners of boxes that are relative to anchors, float64 (count, 4).

    Args:
        offsets: As `encoded` returns them, (count, 4).
        anchors: In the form, (count, 4).
        variances: (4,) or (count, 4).
        form: `centroids`, `corners` or `minmax`.
    """
    relative = offsets * np.asarray(variances, np.float64)
    corners = to_corners(anchors, form)
    sides = corners[:, 2:] - corners[:, :2]
    if form == CENTROIDS:
        centres = anchors[:, :2] + relative[:, :2] * sides
        grown = np.exp(np.minimum(relative[:, 2:], _LARGEST_GROWTH)) * sides
        return to_corners(np.concatenate([centres, grown], axis=1), form)
    return to_corners(anchors + relative * sides[:, _SIDE_OF_EDGE[form]], form)
