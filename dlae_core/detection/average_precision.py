"""Average precision of detected boxes, as the COCO challenge defines it.

Reference: Lin et al., Microsoft COCO: common objects in context, 2014; its evaluation code's
definition of AP, without areas and crowds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.boxes import Float64, all_overlaps

Rows = Sequence[NDArray[Any]]

# Overlaps from 0.5 to 0.95 by 0.05, and recalls from 0 to 1 by 0.01.
COCO_OVERLAPS = tuple(np.linspace(0.5, 0.95, 10).tolist())
_RECALLS = np.linspace(0, 1, 101)
# Most boxes of one class in one image that count.
_MOST = 100
# An overlap of 1 is never asked for exactly.
_WHOLE = 1 - 1e-10


def average_precisions(
    found: Rows, truth: Rows, classes: int, minimum_overlaps: Sequence[float] = COCO_OVERLAPS
) -> Float64:
    """Returns average precisions, float64 (classes, overlaps); NaN for classes without objects.

    The precision at a recall is the best at that recall or more, 0 where it is not reached; the
    average is over 101 recalls from 0 to 1. In an image, box after box, the most confident first
    and at most 100 of a class, finds the object of its class that it overlaps most among those not
    yet found, if by enough. The means over overlaps and classes are COCO's figures: see
    `mean_average_precision`.

    Args:
        found: Per image class, confidence, xmin, ymin, xmax, ymax, (boxes, 6).
        truth: Per image class, xmin, ymin, xmax, ymax, (objects, 5), in the same units.
        classes: Kinds of object, numbered from 1.
        minimum_overlaps: Intersections over union from which a box finds an object.
    """
    values = np.full((classes, len(minimum_overlaps)), np.nan)
    for row, kind in enumerate(range(1, classes + 1)):
        boxes, objects = _of_class(found, kind), _of_class(truth, kind)
        count = sum(map(len, objects))
        if count:
            hits, confidences = judged_boxes(boxes, objects, np.array(minimum_overlaps))
            order = np.argsort(-confidences, kind="stable")
            values[row] = [_average(hit[order], count) for hit in hits]
    return values


def mean_average_precision(precisions: Float64) -> float:
    """Returns the mean over overlaps and the classes that have objects; NaN if none has."""
    known = precisions[~np.isnan(precisions)]
    return float(known.mean()) if len(known) else float("nan")


def judged_boxes(
    boxes: Rows, objects: Rows, minimum_overlaps: Float64
) -> tuple[NDArray[np.bool_], Float64]:
    """Returns whether each box finds an object, bool (overlaps, boxes), and their confidences.

    Boxes are image by image, the most confident first.

    Args:
        boxes: Per image, boxes of one class: confidence, xmin, ymin, xmax, ymax.
        objects: Per image, objects of the class: xmin, ymin, xmax, ymax.
        minimum_overlaps: (overlaps,).
    """
    hits, confidences = [np.empty((len(minimum_overlaps), 0), np.bool_)], [np.empty(0)]
    for some, wanted in zip(boxes, objects, strict=True):
        first = some[np.argsort(-some[:, 0], kind="stable")][:_MOST].astype(np.float64)
        overlap = all_overlaps(first[:, 1:], wanted.astype(np.float64))
        hits.append(_finds(overlap, minimum_overlaps))
        confidences.append(first[:, 0])
    return np.concatenate(hits, axis=1), np.concatenate(confidences)


def _of_class(rows: Rows, kind: int) -> list[NDArray[Any]]:
    return [image[image[:, 0] == kind, 1:] for image in rows]


def _finds(overlap: Float64, minimum_overlaps: Float64) -> NDArray[np.bool_]:
    """Returns whether each box finds an object of its image, bool (minimum_overlaps, boxes).

    Args:
        overlap: Of boxes, the most confident first, with objects, (boxes, objects).
        minimum_overlaps: (minimum_overlaps,).
    """
    boxes, objects = overlap.shape
    hits = np.zeros((len(minimum_overlaps), boxes), np.bool_)
    if not objects:
        return hits
    free = np.ones((len(minimum_overlaps), objects), np.bool_)
    enough = np.minimum(minimum_overlaps, _WHOLE)[:, np.newaxis]
    levels = np.arange(len(minimum_overlaps))
    for box in range(boxes):
        within_reach = free & (overlap[box] >= enough)
        # Of equal overlaps COCO takes the last.
        best = objects - 1 - np.where(within_reach, overlap[box], -1)[:, ::-1].argmax(axis=1)
        hits[:, box] = within_reach[levels, best]
        free[levels, best] &= ~hits[:, box]
    return hits


def _average(hits: NDArray[np.bool_], count: int) -> float:
    """Returns the average precision of boxes by falling confidence that find `count` objects."""
    recall = np.cumsum(hits) / count
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(recall, _RECALLS)
    return float(np.append(best_from_here, 0)[reached].mean())
