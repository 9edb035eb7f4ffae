"""Boxes that move along with their image.

A box is (class, xmin, ymin, xmax, ymax): x along the columns, y along the rows, in pixels from the
image's left and upper edge. The first pixel lies between 0 and 1, its centre at 0.5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.transforms.matrices import Matrix
from dlae_core.data.transforms.points import move_points

Float32 = NDArray[np.float32]

_CENTRE = 0.5
# Row and column of the four corners, as columns of a box.
_CORNERS = [[2, 1], [2, 3], [4, 1], [4, 3]]


def around(boxes: Float32, matrix: Matrix) -> Float32:
    """Returns the upright boxes around moved boxes, float32 (count, 5), wherever they lie.

    Args:
        boxes: (count, 5).
        matrix: (3, 3), from output to input positions.
    """
    corners = boxes[:, _CORNERS].reshape(-1, 2) - _CENTRE
    moved = move_points(corners, matrix).reshape(-1, 4, 2) + _CENTRE
    low, high = moved.min(axis=1), moved.max(axis=1)
    edges = [boxes[:, :1], low[:, ::-1], high[:, ::-1]]
    return np.concatenate(edges, axis=1).astype(np.float32)


def clipped(boxes: Float32, space: tuple[int, ...]) -> Float32:
    """Returns boxes (count, 5) cut at the edges of an image of (rows, columns).

    Differs: DLAE 1.0 cut at the last pixel's near edge (X11).
    """
    inside = boxes.copy()
    inside[:, 1::2] = boxes[:, 1::2].clip(0, space[1])
    inside[:, 2::2] = boxes[:, 2::2].clip(0, space[0])
    return inside


def areas(boxes: Float32) -> Float32:
    """Returns areas in square pixels, (count,); 0 or less without extent."""
    sides = boxes[:, 3:] - boxes[:, 1:3]
    return sides.prod(axis=1) * np.sign(sides.min(axis=1))  # type: ignore[no-any-return]


def move_boxes(boxes: Float32, matrix: Matrix, space: tuple[int, ...]) -> Float32:
    """Returns the upright boxes around moved boxes, cut at the image's edges; none without area.

    Args:
        boxes: (count, 5).
        matrix: (3, 3), from output to input positions.
        space: Rows and columns.
    """
    return Survival(0.0, 0.0).of(around(boxes, matrix), space)


@dataclass(frozen=True)
class Survival:
    """Which boxes are left when an image is cut.

    Attributes:
        overlap: Smallest share of a box's area that must lie inside.
        area: Smallest area of the whole box, in square pixels.
    """

    overlap: float = 0.5
    area: float = 16.0

    def of(self, boxes: Float32, space: tuple[int, ...]) -> Float32:
        """Returns the boxes that are left, cut at the edges of an image of (rows, columns)."""
        cut = clipped(boxes, space)
        whole, inside = areas(boxes), areas(cut)
        left: Float32 = cut[(inside >= self.overlap * whole) & (whole >= self.area) & (inside > 0)]
        return left
