"""Which anchors stand for which box.

Every box gets the anchor that it overlaps most, pair by pair from the largest overlap on. Every
other anchor belongs to the box that it overlaps most if it does so by enough, counts nowhere if by
almost enough, and else is background.

Reference: Liu et al., SSD: single shot multibox detector, 2016, section 2.2.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.boxes import Float64, all_overlaps, areas, overlap_blocks, overlaps

Places = NDArray[np.intp]

NOTHING = -1
# More than float32 can be wrong about an overlap.
_DOUBT = 0.01
# More than rounding makes of equal squares of distances, in square pixels.
_SAME_PLACE = 1e-6


@dataclass(frozen=True)
class Matches:
    """What each anchor stands for.

    Attributes:
        boxes: intp (anchors,), the number of its box; -1 where there is none.
        neutral: bool (anchors,), whether it is neither object nor background.
    """

    boxes: Places
    neutral: NDArray[np.bool_]


def match(boxes: Float64, anchors: Float64, positive: float, negative: float) -> Matches:
    """Returns what each anchor stands for.

    A box that overlaps no anchor that is left gets the one of nearest centre. Differs: in DLAE 1.0
    such a box took anchor 0, and the image's first box took it too, instead of its own (X10).

    Args:
        boxes: Corners with an area, float64 (boxes, 4), in pixels.
        anchors: Corners, float64 (anchors, 4), in pixels; fastest in Fortran order.
        positive: Overlap from which an anchor belongs to a box.
        negative: Overlap from which an unmatched anchor is neutral.
    """
    box, anchor = _near(boxes, anchors, min(positive, negative))
    overlap = overlaps(boxes[box], anchors[anchor])
    favourites, most = largest(box, anchor, overlap, len(boxes))
    own = pair_off(favourites, most, lambda row: all_overlaps(boxes[row : row + 1], anchors)[0])
    _pair_by_centre(own, boxes, anchors)
    owners, best = largest(anchor, box, overlap, len(anchors))
    owners[best < positive] = NOTHING
    paired = own != NOTHING
    owners[own[paired]] = np.flatnonzero(paired)
    return Matches(owners, (owners == NOTHING) & (best >= negative))


def largest(
    groups: Places, members: Places, overlap: Float64, count: int
) -> tuple[Places, Float64]:
    """Returns the member of largest overlap of each group, and that: intp and float64 (count,).

    -1 and -inf for groups in no pair. Of equals the first wins.

    Args:
        groups: Group of each pair, intp (pairs,).
        members: Member of each pair, intp (pairs,).
        overlap: float64 (pairs,).
        count: Number of groups.
    """
    most = np.full(count, -np.inf)
    np.maximum.at(most, groups, overlap)
    found = np.full(count, NOTHING, np.intp)
    # Of several values for one place NumPy keeps the last.
    winners = np.flatnonzero(overlap == most[groups])[::-1]
    found[groups[winners]] = members[winners]
    return found, most


def pair_off(anchors: Places, best: Float64, row: Callable[[int], Float64]) -> Places:
    """Returns each box's own anchor, intp (boxes,); -1 where it overlaps no free one.

    The largest overlap of all makes the first pair, the largest of what is left the next. Of equals
    the first wins.

    Args:
        anchors: Anchor that each box overlaps most, intp (boxes,).
        best: That overlap, float64 (boxes,).
        row: Returns the overlaps of a box with all anchors, float64 (anchors,).
    """
    own = np.full(len(best), NOTHING, np.intp)
    taken: list[int] = []
    wanted = list(zip((-best).tolist(), range(len(best)), anchors.tolist(), strict=True))
    heapq.heapify(wanted)
    while wanted and wanted[0][0] < 0:
        _, box, anchor = heapq.heappop(wanted)
        if anchor in taken:
            free = row(box).copy()
            free[taken] = 0
            second = int(free.argmax())
            heapq.heappush(wanted, (-float(free[second]), box, second))
        else:
            own[box] = anchor
            taken.append(anchor)
    return own


def _near(boxes: Float64, anchors: Float64, enough: float) -> tuple[Places, Places]:
    """Returns box and anchor of all pairs that overlap enough, and of each box's largest overlap.

    Others may be among them: float32 looks, twice as fast, so that float64 decides on few.
    """
    found = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    for first, block in overlap_blocks(boxes.astype(np.float32), anchors.astype(np.float32)):
        least = np.minimum(block.max(axis=1, keepdims=True), np.float32(enough)) - _DOUBT
        box, anchor = np.divmod(np.flatnonzero(block >= least), len(anchors))
        found.append((box + first, anchor))
    box, anchor = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return box, anchor


def _pair_by_centre(own: Places, boxes: Float64, anchors: Float64) -> None:
    """Gives boxes without an anchor the free one of nearest centre, the nearest pair first."""
    left = np.flatnonzero(own == NOTHING).tolist()
    free = areas(anchors) > 0
    free[own[own != NOTHING]] = False
    while left and free.any():
        pairs = [(*_nearest(boxes[box], anchors, free), box) for box in left]
        _, anchor, box = min(pairs)
        own[box], free[anchor] = anchor, False
        left.remove(box)


def _nearest(box: Float64, anchors: Float64, free: NDArray[np.bool_]) -> tuple[float, int]:
    """Returns squared distance and number of the free anchor of nearest centre.

    Of several there, the one of most alike shape.
    """
    distance = np.where(free, _squared_distances(box, anchors), np.inf)
    nearest = np.flatnonzero(distance <= distance.min() + _SAME_PLACE)
    alike = all_overlaps(_centred(box[np.newaxis]), _centred(anchors[nearest]))
    return float(distance.min()), int(nearest[alike[0].argmax()])


def _squared_distances(box: Float64, anchors: Float64) -> Float64:
    """Returns the squares of the distances of centres, in square pixels, (anchors,)."""
    between = (anchors[:, :2] + anchors[:, 2:] - box[:2] - box[2:]) / 2
    found: Float64 = np.square(between).sum(axis=1)
    return found


def _centred(boxes: Float64) -> Float64:
    """Returns boxes moved to the origin."""
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.concatenate([-half, half], axis=1)
