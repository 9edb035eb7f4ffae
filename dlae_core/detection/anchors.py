"""Anchors: the boxes that a detector's offsets are relative to, one set per cell of a feature map.

The x coordinates of an anchor depend on its column only, the y coordinates on its row only, so
that two small tables hold all anchors of a feature map.

Reference: Liu et al., SSD: single shot multibox detector, 2016.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import BbdOptions
from dlae.v1.layers_pb2 import Numbers

Float64 = NDArray[np.float64]
Size = tuple[int, int]

PER_HOOK = "per predictor layer"
# Which of the four coordinates are along x, and which along y.
_PLACES = {
    "centroids": ([0, 2], [1, 3]),
    "corners": ([0, 2], [1, 3]),
    "minmax": ([0, 1], [2, 3]),
}
# Where the cell centre lies inside its cell, unless configured.
_MIDDLE = (0.5, 0.5)


@dataclass(frozen=True)
class AnchorTables:
    """The anchors of one feature map, in pixels or relative to the image, as a sum of two tables.

    Attributes:
        x: float64 (columns, boxes, 4), the x coordinates; zero where y coordinates stand.
        y: float64 (rows, boxes, 4), the y coordinates; zero where x coordinates stand.
    """

    x: Float64
    y: Float64

    def boxes(self) -> Float64:
        """Returns all anchors, float64 (rows, columns, boxes, 4).

        The four are cx, cy, width, height; xmin, ymin, xmax, ymax; or xmin, xmax, ymin, ymax.
        """
        return self.y[:, np.newaxis] + self.x


def anchor_tables(options: BbdOptions, image: Size, maps: Sequence[Size]) -> list[AnchorTables]:
    """Returns the anchors of each feature map.

    Boxes of a cell are in the order of the aspect ratios; the second box of ratio 1 follows the
    first.

    Differs: in DLAE 1.0's networks all boxes of a cell have the first ratio's size (X2), and a
    network read from disk forgets steps and offsets (X3); clipping is to the image's size, not to
    one pixel less (X11).

    Args:
        options: Resolved and checked.
        image: Rows and columns of the image, in pixels.
        maps: Rows and columns of each feature map that is hooked.
    """
    scales = anchor_scales(options, len(maps))
    return [
        _tables(options, image, size, hook, scales[hook : hook + 2])
        for hook, size in enumerate(maps)
    ]


def anchor_scales(options: BbdOptions, hooks: int) -> tuple[float, ...]:
    """Returns the scales relative to the shorter side of the image: one per hook and one more.

    Global scales are evenly spaced from the smallest to the second smallest that are configured.
    """
    if options.scaling_type == PER_HOOK:
        return tuple(options.scales)
    smallest, next_one = sorted(options.scales)[:2]
    return tuple(np.linspace(smallest, next_one, hooks + 1).tolist())


def hooks_beyond_image(options: BbdOptions, image: Size, maps: Sequence[Size]) -> list[int]:
    """Returns the hooks that have anchors centred outside the image, by their steps and offsets."""
    return [
        hook
        for hook, cells in enumerate(maps)
        if any(
            centres[-1] > side
            for centres, side in zip(_centres(options, image, cells, hook), image, strict=True)
        )
    ]


def _tables(
    options: BbdOptions, image: Size, cells: Size, hook: int, scales: Sequence[float]
) -> AnchorTables:
    widths, heights = _sizes(options, hook, min(image), scales)
    rows, columns = _centres(options, image, cells, hook)
    x, y = np.zeros((cells[1], len(widths), 4)), np.zeros((cells[0], len(heights), 4))
    of_x, of_y = _PLACES[options.coordinates_type]
    x[..., of_x] = _axis(options, columns, widths, image[1])
    y[..., of_y] = _axis(options, rows, heights, image[0])
    return AnchorTables(x, y)


def _centres(options: BbdOptions, image: Size, cells: Size, hook: int) -> tuple[Float64, Float64]:
    """Returns the y of each row of cells and the x of each column, in pixels."""
    steps = _pair(options.steps, hook) or (image[0] / cells[0], image[1] / cells[1])
    offsets = _pair(options.offsets, hook) or _MIDDLE
    rows, columns = (
        (np.arange(number, dtype=np.float64) + offset) * step
        for number, offset, step in zip(cells, offsets, steps, strict=True)
    )
    return rows, columns


def _axis(options: BbdOptions, centres: Float64, lengths: Float64, side: int) -> Float64:
    """Returns centre and length, or both edges, along one axis: float64 (cells, boxes, 2)."""
    centre, length = np.meshgrid(centres, lengths, indexing="ij")
    low, high = centre - length / 2, centre + length / 2
    if options.clip_boxes_switch:
        low, high = np.clip(low, 0, side), np.clip(high, 0, side)
        centre, length = (low + high) / 2, high - low
    centroids = options.coordinates_type == "centroids"
    found: Float64 = np.stack((centre, length) if centroids else (low, high), axis=-1)
    return found / side if options.normalize_coordinates_switch else found


def _sizes(
    options: BbdOptions, hook: int, side: int, scales: Sequence[float]
) -> tuple[Float64, Float64]:
    """Returns widths and heights of the boxes of one cell, in pixels."""
    sizes = []
    for ratio in _aspect_ratios(options, hook):
        length = side * scales[0]
        sizes.append((length * math.sqrt(ratio), length / math.sqrt(ratio)))
        if ratio == 1 and options.two_boxes_for_ar1_switch:
            sizes.append((side * math.sqrt(scales[0] * scales[1]),) * 2)
    widths, heights = np.array(sizes).T
    return widths, heights


def _aspect_ratios(options: BbdOptions, hook: int) -> list[float]:
    item = hook if options.aspect_ratios_type == PER_HOOK else 0
    return list(options.aspect_ratios[item].values)


def _pair(items: Sequence[Numbers], hook: int) -> tuple[float, float] | None:
    """Returns a hook's value along rows and columns; None where it is left out."""
    if not items:
        return None
    values = items[hook].values
    return values[0], values[-1]
