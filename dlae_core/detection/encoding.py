"""The boxes of an image as what a detector's output is compared with: one row per anchor.

The columns are those of the output: classes, background first, then four offsets, four anchor
coordinates and four variances.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import BbdOptions
from dlae_core.detection.anchors import Size, anchor_tables
from dlae_core.detection.boxes import Float64, pixels_per_unit, to_corners
from dlae_core.detection.matching import NOTHING, match
from dlae_core.detection.offsets import encoded

Float32 = NDArray[np.float32]

_OFFSETS = slice(-12, -8)
_BACKGROUND = 0


class Encoder:
    """Turns boxes into targets."""

    def __init__(self, options: BbdOptions, image: Size, anchors: Float64) -> None:
        """Lays out the rows that all targets share.

        Args:
            options: Resolved and checked.
            image: Rows and columns of the image, in pixels.
            anchors: As in the output, float64 (anchors, 4).
        """
        self._form = options.coordinates_type
        self._variances = np.array(options.variances)
        self._positive = options.positive_iou_threshold
        self._negative = options.negative_iou_limit
        corners = to_corners(anchors, self._form) * pixels_per_unit(options, image)
        self._anchors = np.asfortranarray(corners)
        classes = np.zeros((len(anchors), options.number_classes + 1))
        classes[:, _BACKGROUND] = 1
        variances = np.broadcast_to(self._variances, anchors.shape)
        rows = [classes, np.zeros_like(anchors), anchors, variances]
        self._background: Float32 = np.concatenate(rows, axis=1).astype(np.float32)

    @classmethod
    def of_network(cls, options: BbdOptions, image: Size, maps: Sequence[Size]) -> Self:
        """Returns the encoder of a network that predicts from maps of (rows, columns) cells."""
        tables = anchor_tables(options, image, maps)
        return cls(
            options, image, np.concatenate([table.boxes().reshape(-1, 4) for table in tables])
        )

    def target(self, boxes: NDArray[Any], out: Float32 | None = None) -> Float32:
        """Returns the rows of one image, float32 (anchors, classes + 1 + 12).

        An anchor that stands for no box is background, or has no class at all where it overlaps a
        box by almost enough. Differs: without boxes all is background (X6).

        Args:
            boxes: Class, xmin, ymin, xmax, ymax in pixels, (boxes, 5); classes count from 1. What
                `data.stored_boxes.box_problems` finds nothing wrong with.
            out: Where to write, float32 of that shape.
        """
        rows = np.empty_like(self._background) if out is None else out
        rows[...] = self._background
        if len(boxes):
            corners = boxes[:, 1:].astype(np.float64)
            found = match(corners, self._anchors, self._positive, self._negative)
            objects = np.flatnonzero(found.boxes != NOTHING)
            own = found.boxes[objects]
            rows[found.neutral, _BACKGROUND] = 0
            rows[objects, _BACKGROUND] = 0
            rows[objects, boxes[own, 0].astype(np.intp)] = 1
            rows[objects, _OFFSETS] = encoded(
                corners[own], self._anchors[objects], self._variances, self._form
            )
        return rows

    def targets(self, images: Sequence[NDArray[Any]]) -> Float32:
        """Returns the rows of several images, float32 (images, anchors, classes + 1 + 12)."""
        found = np.empty((len(images), *self._background.shape), np.float32)
        for boxes, rows in zip(images, found, strict=True):
            self.target(boxes, rows)
        return found
