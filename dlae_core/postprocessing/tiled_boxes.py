"""Boxes in images larger than a detector: found tile by tile, put together.

A box belongs to the tiles in whose middle its centre lies: between tiles, up to the middle of what
they have in common and an eighth of that further. So an object that a tile cuts off is left to the
neighbour that holds it whole, as long as it is no longer than three quarters of what they have in
common. What two tiles find is one box after suppression over all.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.suppression import Suppression
from dlae_core.tiling import Tiling, in_groups, tile_starts

Float32 = NDArray[np.float32]
Detect = Callable[[Float32], list[Float32]]

# Part of what two tiles have in common, beyond its middle, from which both take boxes.
_BOTH = 1 / 8


def boxes_of_tiles(
    image: Float32, tile: Sequence[int], detect: Detect, tiling: Tiling, suppression: Suppression
) -> Float32:
    """Returns the boxes in an image of any size, float32 (boxes, 6), the most probable first.

    Args:
        image: Prepared, float32 (rows, cols, channels).
        tile: Rows and columns that the detector takes, nowhere more than the image has.
        detect: Returns the boxes, (boxes, 6) in pixels of the image, of each of a few images.
        tiling: How to cut; weights do not matter.
        suppression: Which of the boxes of all tiles are left.
    """
    axes = [_cells(*lengths, tiling) for lengths in zip(image.shape[:-1], tile, strict=True)]
    found = [np.empty((0, 6), np.float32)]
    for places in in_groups(itertools.product(*axes), tiling.tiles):
        cut = [
            image[row : row + tile[0], col : col + tile[1]] for (row, _, _), (col, _, _) in places
        ]
        for boxes, place in zip(detect(np.stack(cut)), places, strict=True):
            found.append(_own(boxes, place))
    together = np.concatenate(found)
    together = together[np.argsort(-together[:, 1], kind="stable")]
    corners = together[:, 2:].astype(np.float64)
    return together[suppression.left(corners, together[:, 0].astype(np.intp))]


def _cells(length: int, tile: int, tiling: Tiling) -> list[tuple[int, float, float]]:
    """Returns start of each tile along an axis, and between where the centres of its boxes lie."""
    starts = tile_starts(length, tile, tiling.overlap)
    low, cells = -np.inf, []
    for start, following in itertools.zip_longest(starts, starts[1:]):
        if following is None:
            cells.append((start, low, np.inf))
            break
        shared = start + tile - following
        middle = following + shared / 2
        cells.append((start, low, middle + shared * _BOTH))
        low = middle - shared * _BOTH
    return cells


def _own(boxes: Float32, place: tuple[tuple[int, float, float], ...]) -> Float32:
    """Returns the boxes of a tile that belong to it, in pixels of the whole image."""
    (row, *rows), (col, *cols) = place
    moved = boxes + np.array([0, 0, col, row, col, row], np.float32)
    kept = np.ones(len(moved), np.bool_)
    for side, (low, high) in ((2, cols), (3, rows)):
        centres = (moved[:, side] + moved[:, side + 2]) / 2
        kept &= (centres >= low) & (centres < high)
    found: Float32 = moved[kept]
    return found
