"""Boxes: three ways to write their coordinates, their areas and overlaps.

`corners` are xmin, ymin, xmax, ymax; `minmax` xmin, xmax, ymin, ymax; `centroids` cx, cy, width,
height. x runs along the columns, y along the rows, from the image's left and upper edge. A box is
the region between its edges: a pixel is 1 wide, and no side is longer by 1 than max - min. All
holds in pixels as well as relative to the image.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import BbdOptions

Float64 = NDArray[np.float64]
Float = TypeVar("Float", np.float32, np.float64)

CORNERS, MINMAX, CENTROIDS = "corners", "minmax", "centroids"
# Corners as minmax, and back.
_EXCHANGED = [0, 2, 1, 3]
# Pairs of boxes worked on at once: what a core's cache holds.
_PAIRS = 40_000
# Stands for the area of a box that has none, so that nothing is divided by 0.
_SMALLEST_AREA = 1e-30


def pixels_per_unit(options: BbdOptions, image: tuple[int, int]) -> Float64:
    """Returns what brings corners to pixels, float64 (4,): image sides if normalized, else 1.

    Args:
        options: Resolved and checked.
        image: Rows and columns of the image, in pixels.
    """
    rows, columns = image if options.normalize_coordinates_switch else (1, 1)
    return np.array([columns, rows, columns, rows], np.float64)


def to_corners(boxes: NDArray[Any], form: str) -> Float64:
    """Returns boxes (..., 4) in a form as corners, float64 (..., 4)."""
    boxes = np.asarray(boxes, np.float64)
    if form == MINMAX:
        return boxes[..., _EXCHANGED]
    if form == CENTROIDS:
        half = boxes[..., 2:] / 2
        return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
    return boxes


def from_corners(boxes: NDArray[Any], form: str) -> Float64:
    """Returns corners (..., 4) in a form, float64 (..., 4)."""
    boxes = np.asarray(boxes, np.float64)
    if form == MINMAX:
        return boxes[..., _EXCHANGED]
    if form == CENTROIDS:
        low, high = boxes[..., :2], boxes[..., 2:]
        return np.concatenate([(low + high) / 2, high - low], axis=-1)
    return boxes


def areas(boxes: NDArray[Float]) -> NDArray[Float]:
    """Returns the areas of corners (..., 4), (...,); 0 where a minimum is above its maximum."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    found: NDArray[Float] = np.maximum(width, 0) * np.maximum(height, 0)
    return found


def intersections(boxes: NDArray[Float], others: NDArray[Float]) -> NDArray[Float]:
    """Returns the areas that corners share: (...,) of (..., 4) and (..., 4), broadcast."""
    xmin, ymin = (np.maximum(boxes[..., side], others[..., side]) for side in (0, 1))
    xmax, ymax = (np.minimum(boxes[..., side], others[..., side]) for side in (2, 3))
    found: NDArray[Float] = np.maximum(xmax - xmin, 0) * np.maximum(ymax - ymin, 0)
    return found


def overlaps(boxes: Float64, others: Float64) -> Float64:
    """Returns intersection over union of each box with its partner, (count,); 0 without area.

    Args:
        boxes: Corners, float64 (count, 4).
        others: Corners, float64 (count, 4), in the same units.
    """
    shared = intersections(boxes, others)
    found: Float64 = shared / (areas(boxes) + np.maximum(areas(others), _SMALLEST_AREA) - shared)
    return found


def all_overlaps(boxes: NDArray[Float], others: NDArray[Float]) -> NDArray[Float]:
    """Returns intersection over union of each box with each other, (boxes, others).

    Boxes without area overlap nothing.

    Args:
        boxes: Corners, (boxes, 4).
        others: Corners, (others, 4), in the same units and of the same type.
    """
    found = np.empty((len(boxes), len(others)), others.dtype)
    for first, block in overlap_blocks(boxes, others):
        found[first : first + len(block)] = block
    return found


def overlap_blocks(
    boxes: NDArray[Float], others: NDArray[Float]
) -> Iterator[tuple[int, NDArray[Float]]]:
    """Yields `all_overlaps` a few rows at a time, each with the number of its first row.

    A block stays in the processor's cache, and the next one takes its place. Fastest with others in
    Fortran order.
    """
    extents = np.maximum(areas(others), _SMALLEST_AREA)
    rows = min(len(boxes), max(1, _PAIRS // max(1, len(others))))
    room = np.empty((3, rows, len(others)), others.dtype)
    for first in range(0, len(boxes), max(1, rows)):
        some = boxes[first : first + rows]
        shared, other, spare = room[:, : len(some)]
        _share(some, others, 0, shared, spare)
        _share(some, others, 1, other, spare)
        shared *= other
        np.add(areas(some)[:, np.newaxis], extents, out=other)
        other -= shared
        shared /= other
        yield first, shared


def _share(
    boxes: NDArray[Float],
    others: NDArray[Float],
    axis: int,
    out: NDArray[Float],
    spare: NDArray[Float],
) -> None:
    """Writes the length that each box shares with each other along an axis, (boxes, others)."""
    # NumPy compares two whole arrays three times faster than an array and a number.
    spare[...] = boxes[:, axis, np.newaxis]
    np.maximum(spare, others[:, axis], out=spare)
    out[...] = boxes[:, axis + 2, np.newaxis]
    np.minimum(out, others[:, axis + 2], out=out)
    out -= spare
    np.maximum(out, np.zeros(len(others), others.dtype), out=out)
