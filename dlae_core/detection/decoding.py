"""A detector's output as boxes: one row per box, in pixels."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import BbdOptions
from dlae_core.detection.anchors import Size
from dlae_core.detection.boxes import Float64, areas, pixels_per_unit
from dlae_core.detection.offsets import decoded
from dlae_core.detection.suppression import Suppression

Float32 = NDArray[np.float32]

COLUMNS = ("class", "confidence", "xmin", "ymin", "xmax", "ymax")
_BOX_COLUMNS = 12
# Candidates among which the boxes to be reported are nearly always found.
_ENOUGH = 2048


@dataclass(frozen=True)
class Decoder:
    """Turns a detector's output into boxes.

    Attributes:
        form: How anchors and offsets are written: `centroids`, `corners` or `minmax`.
        pixels: Pixels per unit of xmin, ymin, xmax and ymax, (4,).
        confidence: All boxes are more probable than this.
        suppression: Which of them are left.
    """

    form: str
    pixels: Float64
    confidence: float
    suppression: Suppression

    @classmethod
    def from_options(cls, options: BbdOptions, image: Size) -> Self:
        """Returns the decoder that options ask for.

        Args:
            options: Resolved and checked.
            image: Rows and columns of the images, in pixels.
        """
        return cls(
            form=options.coordinates_type,
            pixels=pixels_per_unit(options, image),
            confidence=options.confidence_threshold,
            suppression=Suppression(
                options.iou_threshold, options.nms_maximum_output, options.top_k
            ),
        )

    def boxes(self, output: NDArray[Any]) -> Float32:
        """Returns class, confidence, xmin, ymin, xmax, ymax of each box, float32 (boxes, 6).

        The most probable comes first, of equals that of the lower anchor. Classes count from 1.
        Boxes are not clipped to the image; what has no area is no box.

        Differs: DLAE 1.0 sorted by class, and not at all where `top_k` cut.

        Args:
            output: Of one image, (anchors, classes + 1 + 12).
        """
        found, most = _candidates(output, self.confidence), self.suppression.most
        if most and len(found.anchors) > _ENOUGH:
            rows = self._left(output, found.most_probable(_ENOUGH))
            if len(rows) >= most:
                return rows
        return self._left(output, found)

    def _left(self, output: NDArray[Any], found: "_Candidates") -> Float32:
        """Returns the rows of the candidates that are left."""
        found = found.at(np.argsort(-found.confidences, kind="stable"))
        # A diverged network says infinite numbers, and none.
        with np.errstate(invalid="ignore"):
            corners = self._corners(output[found.anchors, -_BOX_COLUMNS:])
            real = areas(corners) > 0
        found, corners = found.at(real), corners[real]
        left = self.suppression.left(corners, found.classes)
        found, corners = found.at(left), corners[left]
        columns = (found.classes, found.confidences, *corners.T)
        return np.stack(columns, axis=1).astype(np.float32)

    def _corners(self, rows: NDArray[Any]) -> Float64:
        """Returns the corners of boxes in pixels, float64 (rows, 4)."""
        offsets, anchors, variances = np.split(rows.astype(np.float64), 3, axis=1)
        return decoded(offsets, anchors, variances, self.form) * self.pixels


@dataclass(frozen=True)
class _Candidates:
    """Pairs of an anchor and a class from 1 that are probable enough, anchor by anchor."""

    anchors: NDArray[np.intp]
    classes: NDArray[np.intp]
    confidences: NDArray[Any]

    def at(self, places: NDArray[Any]) -> "_Candidates":
        return _Candidates(self.anchors[places], self.classes[places], self.confidences[places])

    def most_probable(self, count: int) -> "_Candidates":
        """Returns so many of them, in the same order, and all that equal the last."""
        return self.at(self.confidences >= np.partition(self.confidences, -count)[-count])


def _candidates(output: NDArray[Any], confidence: float) -> _Candidates:
    probabilities = output[:, 1:-_BOX_COLUMNS]
    # Faster than to ask for both indices at once.
    places = np.flatnonzero(probabilities > confidence)
    anchors, classes = np.divmod(places, probabilities.shape[1])
    return _Candidates(anchors, classes + 1, probabilities[anchors, classes])
