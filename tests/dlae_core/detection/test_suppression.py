"""Suppression of boxes: written out one by one, its limits, and laws."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae_core.detection.boxes import all_overlaps
from dlae_core.detection.suppression import Suppression
from tests.dlae_core.detection.settings import random_boxes

IMAGE = (60, 90)


def one_by_one(rule: Suppression, boxes: np.ndarray, classes: np.ndarray) -> list[int]:
    """Returns what is left, box by box."""
    kept: list[int] = []
    overlap = all_overlaps(boxes, boxes)
    for place, kind in enumerate(classes):
        rivals = [other for other in kept if classes[other] == kind]
        if len(rivals) < rule.per_class and all(
            overlap[place, other] <= rule.overlap for other in rivals
        ):
            kept.append(place)
    return kept[: rule.most or None]


@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 7, 60, 700]),
    overlap=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    per_class=st.sampled_from([1, 5, 400]),
    most=st.sampled_from([0, 1, 12, 200]),
)
@settings(max_examples=80, deadline=None)
def test_what_is_left_is_what_is_left_one_by_one(
    seed: int, count: int, overlap: float, per_class: int, most: int
) -> None:
    random = np.random.default_rng(seed)
    boxes, classes = random_boxes(random, count, IMAGE), random.integers(1, 4, count)
    rule = Suppression(overlap, per_class, most)
    assert rule.left(boxes, classes).tolist() == one_by_one(rule, boxes, classes)


@given(seed=st.integers(0, 2**32), overlap=st.floats(0, 0.9))
@settings(max_examples=50, deadline=None)
def test_the_first_is_left_and_no_two_of_a_class_overlap_by_more(seed: int, overlap: float) -> None:
    random = np.random.default_rng(seed)
    boxes, classes = random_boxes(random, 80, IMAGE), random.integers(1, 3, 80)
    left = Suppression(overlap, 400, 0).left(boxes, classes)
    assert left[0] == 0
    found = all_overlaps(boxes[left], boxes[left])
    same = classes[left][:, np.newaxis] == classes[left]
    assert found[same & ~np.eye(len(left), dtype=bool)].max(initial=0) <= overlap
    again = Suppression(overlap, 400, 0).left(boxes[left], classes[left])
    assert again.tolist() == list(range(len(left)))


def test_an_equal_overlap_is_left_and_a_hidden_box_hides_none() -> None:
    # Each overlaps the next by half of its area: 4 of 12.
    boxes = np.array([[0.0, 0, 8, 1], [4, 0, 12, 1], [8, 0, 16, 1]])
    classes = np.ones(3, np.int64)
    assert Suppression(4 / 12, 9, 0).left(boxes, classes).tolist() == [0, 1, 2]
    assert Suppression(0.3, 9, 0).left(boxes, classes).tolist() == [0, 2]
    assert Suppression(0.3, 9, 0).left(boxes, np.arange(3)).tolist() == [0, 1, 2]
