"""One box per object: of boxes of one class that overlap, the most probable is left."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.boxes import Float64, all_overlaps

Places = NDArray[np.intp]
Classes = NDArray[np.integer[Any]]

# Boxes looked at together: all pairs of them are compared, so not more; as arrays, so not fewer.
_TOGETHER = 256


@dataclass(frozen=True)
class Suppression:
    """Which boxes are left.

    Attributes:
        overlap: Boxes of one class overlap by at most this.
        per_class: Most boxes of one class.
        most: Most boxes of all classes; 0: all.
    """

    overlap: float
    per_class: int
    most: int

    def left(self, boxes: Float64, classes: Classes) -> Places:
        """Returns the places of the boxes that are left, rising, intp (left,).

        Box after box is kept unless it overlaps one of its class that is kept. Differs: DLAE 1.0
        had no limit per class (X5).

        Args:
            boxes: Corners, float64 (boxes, 4), the most probable first.
            classes: (boxes,).
        """
        if self.most:
            return self._first(boxes, classes, self.most)
        # Without a limit all boxes must be looked at: class by class there are fewer pairs.
        found = [np.empty(0, np.intp)]
        for kind in np.unique(classes):
            members = np.flatnonzero(classes == kind)
            found.append(members[self._first(boxes[members], classes[members], self.per_class)])
        return np.sort(np.concatenate(found))

    def _first(self, boxes: Float64, classes: Classes, most: int) -> Places:
        """Returns the places of the first boxes that are left; no later one could be among them."""
        kept = np.empty(0, np.intp)
        for first in range(0, len(boxes), _TOGETHER):
            places = np.arange(first, min(first + _TOGETHER, len(boxes)))
            places = places[~self._hides(boxes, classes, kept, places).any(axis=0)]
            places = places[_not_hidden(self._hides(boxes, classes, places, places))]
            kept = np.concatenate([kept, places])
            kept = kept[_rank_in_class(classes[kept]) < self.per_class]
            if len(kept) >= most:
                break
        return kept[:most]

    def _hides(self, boxes: Float64, classes: Classes, some: Places, others: Places) -> Any:
        """Returns whether each of some boxes hides each of others, bool (some, others)."""
        same = classes[some, np.newaxis] == classes[others]
        return same & (all_overlaps(boxes[some], boxes[others]) > self.overlap)


def _not_hidden(hides: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which boxes are hidden by none before them that is not hidden itself."""
    later = np.triu(hides, 1)
    left = np.ones(len(later), np.bool_)
    for place in np.flatnonzero(later.any(axis=1)):
        if left[place]:
            left &= ~later[place]
    return left


def _rank_in_class(classes: Classes) -> Places:
    """Returns how many boxes of its class stand before each, intp (boxes,)."""
    order = np.argsort(classes, kind="stable")
    in_order = classes[order]
    ranks = np.empty(len(classes), np.intp)
    ranks[order] = np.arange(len(classes)) - np.searchsorted(in_order, in_order)
    return ranks
