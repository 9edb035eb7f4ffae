"""Average precision: cases counted by hand, and the definition written out."""

import numpy as np
import pytest

from dlae_core.detection.average_precision import average_precisions, mean_average_precision
from tests.dlae_core.detection.settings import random_rows

IMAGE = (60, 80)
SQUARE = np.array([[1.0, 0, 0, 10, 10]])


def box(confidence: float, right: float = 10, left: float = 0, kind: int = 1) -> list[float]:
    """Returns a box from the upper edge, 10 rows high."""
    return [kind, confidence, left, 0, right, 10]


def test_the_right_box_is_perfect() -> None:
    precisions = average_precisions([np.array([box(0.3)])], [SQUARE], 1)
    assert precisions.tolist() == [[1.0] * 10]
    assert mean_average_precision(precisions) == 1


def test_a_box_counts_up_to_its_overlap() -> None:
    found = average_precisions([np.array([box(0.3, right=8)])], [SQUARE], 1)
    assert found[0].tolist() == [1.0] * 7 + [0.0] * 3


def test_a_surer_false_box_halves_the_precision_and_a_less_sure_one_does_not_matter() -> None:
    right, wrong = box(0.5), box(0.9, left=50, right=60)
    assert average_precisions([np.array([right, wrong])], [SQUARE], 1, [0.5]) == 0.5
    wrong[1] = 0.1
    assert average_precisions([np.array([right, wrong])], [SQUARE], 1, [0.5]) == 1


def test_half_of_the_objects_are_51_of_101_recalls() -> None:
    truth = [SQUARE, SQUARE]
    found = average_precisions([np.array([box(0.9)]), np.empty((0, 6))], truth, 1, [0.5])
    assert found[0, 0] == pytest.approx(51 / 101)


def test_an_object_is_found_once() -> None:
    found = [np.array([box(0.9), box(0.8), box(0.7, left=20, right=30)])]
    truth = [np.array([[1.0, 0, 0, 10, 10], [1, 20, 0, 30, 10]])]
    # Hit, miss, hit: precision 1 up to recall 1/2, then 2/3.
    expected = (51 + 50 * 2 / 3) / 101
    assert average_precisions(found, truth, 1, [0.5])[0, 0] == pytest.approx(expected)


def test_classes_are_apart_and_one_without_objects_is_left_out() -> None:
    found = [np.array([box(0.9), box(0.8, kind=2), box(0.8, kind=3)])]
    truth = [np.array([[1.0, 0, 0, 10, 10], [2, 40, 0, 50, 10]])]
    precisions = average_precisions(found, truth, 3, [0.5])
    np.testing.assert_array_equal(precisions, [[1], [0], [np.nan]])
    assert mean_average_precision(precisions) == 0.5
    assert np.isnan(mean_average_precision(np.full((2, 3), np.nan)))


def test_the_hundred_surest_of_a_class_count() -> None:
    wrong = [box(0.9, left=50, right=60)] * 100
    found = [np.array([*wrong, box(0.5)])]
    assert average_precisions(found, [SQUARE], 1, [0.5]) == 0
    assert average_precisions([found[0][1:]], [SQUARE], 1, [0.5]) == pytest.approx(0.01)


def by_definition(found: list, truth: list, kind: int, minimum: float) -> float:
    """Returns the average precision of a class, box by box and recall by recall."""
    left = {
        (image, number): row[1:]
        for image, rows in enumerate(truth)
        for number, row in enumerate(rows)
        if row[0] == kind
    }
    count = len(left)
    boxes = [(image, row) for image, rows in enumerate(found) for row in rows if row[0] == kind]
    points, hits = [], 0
    for taken, (image, row) in enumerate(sorted(boxes, key=lambda item: -item[1][1]), 1):
        near = [(overlap(row[2:], other), key) for key, other in left.items() if key[0] == image]
        best, key = max(near, default=(0.0, None))
        if key is not None and best >= minimum:
            hits += 1
            del left[key]
        points.append((hits / count, hits / taken))
    reached = [
        max((precision for recall, precision in points if recall >= step / 100), default=0.0)
        for step in range(101)
    ]
    return sum(reached) / 101


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    """Returns intersection over union of corners."""
    width = max(0.0, min(one[2], two[2]) - max(one[0], two[0]))
    height = max(0.0, min(one[3], two[3]) - max(one[1], two[1]))
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return width * height / (sum(sizes) - width * height)


@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = [random_rows(random, random.integers(0, 6), IMAGE, 2) for _ in range(8)]
    found = []
    for rows in truth:
        near = np.repeat(rows, 2, axis=0)
        near[:, 1:] += random.normal(0, 1.5, near[:, 1:].shape)
        rest = np.concatenate([near, random_rows(random, 3, IMAGE, 2)])
        found.append(np.insert(rest, 1, random.random(len(rest)), axis=1))
    levels = [0.1, 0.5, 0.75]
    expected = [[by_definition(found, truth, kind, level) for level in levels] for kind in (1, 2)]
    np.testing.assert_allclose(average_precisions(found, truth, 2, levels), expected, rtol=1e-12)
