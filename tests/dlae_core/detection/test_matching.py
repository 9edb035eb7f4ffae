"""Matching of anchors to boxes: DLAE 1.0's, the rules written out one by one, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dlae_core.detection.boxes import all_overlaps
from dlae_core.detection.matching import NOTHING, largest, match, pair_off
from tests.dlae_core.detection.settings import golden_arrays, random_boxes

IMAGE = (48, 64)


def paired(weights: np.ndarray) -> np.ndarray:
    return pair_off(weights.argmax(axis=1), weights.max(axis=1), lambda row: weights[row])


def by_the_rules(boxes: Any, anchors: Any, positive: float, negative: float) -> tuple[Any, Any]:
    """Returns owners and neutral anchors, rule by rule."""
    overlap = all_overlaps(boxes, anchors)
    left = overlap.copy()
    owners = np.full(len(anchors), NOTHING)
    for _ in boxes:
        box, anchor = np.unravel_index(left.argmax(), left.shape)
        owners[anchor] = box
        left[box], left[:, anchor] = -1, -1
    neutral = np.zeros(len(anchors), bool)
    for anchor in np.flatnonzero(owners == NOTHING):
        best = overlap[:, anchor].argmax()
        if overlap[best, anchor] >= positive:
            owners[anchor] = best
        else:
            neutral[anchor] = overlap[best, anchor] >= negative
    return owners, neutral


def test_pairs_are_those_of_1_0_but_where_nothing_overlaps() -> None:
    arrays = golden_arrays()
    weights, golden = arrays["match/weights"], arrays["match/bipartite"]
    assert weights.argmax(axis=1).tolist() == [20, 25, 0, 18, 24]
    assert not weights[2].any()
    assert paired(weights).tolist() == [20, 25, NOTHING, 18, 24]
    # When only box 2 was left, 1.0 gave anchor 0 to it and to box 0, which lost its own.
    assert golden.tolist() == [0, 25, 0, 18, 24]


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.99])
def test_boxes_of_anchors_are_those_of_1_0(threshold: float) -> None:
    arrays = golden_arrays()
    weights = arrays["match/weights"]
    box, anchor = np.divmod(np.arange(weights.size), weights.shape[1])
    owners, best = largest(anchor, box, weights.ravel(), weights.shape[1])
    found = np.flatnonzero(best >= threshold)
    assert found.tolist() == arrays[f"match/multi_{threshold}_anchor"].tolist()
    if f"match/multi_{threshold}_gt" in arrays:
        assert owners[found].tolist() == arrays[f"match/multi_{threshold}_gt"].tolist()


def test_a_box_that_loses_its_anchor_takes_the_next_best() -> None:
    weights = np.array([[0.9, 0.5, 0.1], [0.8, 0.6, 0.2], [0.7, 0.5, 0.3]])
    assert paired(weights).tolist() == [0, 1, 2]
    assert paired(weights[::-1]).tolist() == [2, 1, 0]


def test_of_equal_overlaps_the_first_box_and_anchor_win() -> None:
    assert paired(np.full((2, 3), 0.5)).tolist() == [0, 1]


def test_a_box_that_overlaps_no_anchor_gets_the_nearest_and_of_those_the_most_alike() -> None:
    centres = np.array([[8.0, 8], [8, 8], [40, 8], [8, 40]])
    sides = np.array([[4.0, 4], [2, 8], [4, 4], [4, 4]])
    anchors = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    tall, square = [13.0, 4, 14, 12], [12.0, 6, 15, 9]
    assert match(np.array([tall]), anchors, 0.5, 0.3).boxes.tolist() == [-1, 0, -1, -1]
    assert match(np.array([square]), anchors, 0.5, 0.3).boxes.tolist() == [0, -1, -1, -1]
    own = np.array([6.0, 6, 10, 10])
    both = match(np.array([own, square]), anchors, 0.5, 0.3)
    assert both.boxes.tolist() == [0, 1, -1, -1]


def test_an_anchor_without_area_is_no_ones() -> None:
    anchors = np.array([[20.0, 20, 20, 30], [0, 0, 5, 5]])
    assert match(np.array([[18.0, 20, 19, 30]]), anchors, 0.5, 0.3).boxes.tolist() == [-1, 0]


def test_more_boxes_than_anchors_leave_some_boxes_alone() -> None:
    anchors = np.array([[0.0, 0, 10, 10]])
    boxes = np.array([[0.0, 0, 5, 10], [0, 0, 9, 10], [30, 30, 40, 40]])
    assert match(boxes, anchors, 0.5, 0.3).boxes.tolist() == [1]


def test_anchors_at_a_limit_count_as_reaching_it() -> None:
    box = np.array([[0.0, 0, 8, 8]])
    anchors = np.array([[0.0, 0, 8, 8], [0, 0, 4, 8], [0, 0, 2, 8], [0, 0, 1, 8]])
    found = match(box, anchors, 0.5, 0.25)
    assert found.boxes.tolist() == [0, 0, NOTHING, NOTHING]
    assert found.neutral.tolist() == [False, False, True, False]


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 9),
    positive=st.floats(0.05, 1),
    negative=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_matches_follow_the_rules(seed: int, count: int, positive: float, negative: float) -> None:
    random = np.random.default_rng(seed)
    # Large anchors, so that every box overlaps a free one.
    half = random.uniform(10, 40, (40, 2))
    centres = random.uniform(0, 60, (40, 2))
    anchors = np.concatenate([centres - half, centres + half], axis=1)
    boxes = random_boxes(random, count, IMAGE)
    assume((all_overlaps(boxes, anchors) > 0).sum(axis=1).min() >= count)
    owners, neutral = by_the_rules(boxes, anchors, positive, negative)
    found = match(boxes, anchors, positive, negative)
    assert found.boxes.tolist() == owners.tolist()
    assert found.neutral.tolist() == neutral.tolist()


@given(seed=st.integers(0, 2**32), count=st.integers(1, 9))
@example(seed=97168168, count=6)
@settings(max_examples=60, deadline=None)
def test_every_box_has_an_anchor_whatever_the_order_and_the_place(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    anchors, boxes = random_boxes(random, 40, IMAGE), random_boxes(random, count, IMAGE)
    found = match(boxes, anchors, 0.5, 0.3)
    assert set(range(count)) <= set(found.boxes.tolist())
    assert not (found.neutral & (found.boxes != NOTHING)).any()
    order = random.permutation(count)
    shuffled = match(boxes[order], anchors, 0.5, 0.3)
    owned = found.boxes != NOTHING
    assert ((shuffled.boxes != NOTHING) == owned).all()
    assert order[shuffled.boxes[owned]].tolist() == found.boxes[owned].tolist()
    moved = match(2 * boxes + 16, 2 * anchors + 16, 0.5, 0.3)
    assert moved.boxes.tolist() == found.boxes.tolist()
