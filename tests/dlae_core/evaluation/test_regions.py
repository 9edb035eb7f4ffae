"""Overlaps and surface distances: counts and all pairs of points."""

import math

import numpy as np
import pytest

from dlae_core.evaluation.regions import (
    average_surface_distance,
    confusion_of,
    hausdorff95,
    overlaps,
    surface_distances,
)

RANDOM = np.random.default_rng(11)


def blob(shape: tuple[int, ...], middle: tuple[float, ...], radius: float) -> np.ndarray:
    """Returns a ball with a rough surface."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    distance = np.linalg.norm(grid - np.array(middle), axis=-1)
    return distance + RANDOM.uniform(-1, 1, shape) < radius


def points(region: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Returns the pixels of a region with a side outside of it, in lengths."""
    found = []
    for place in np.argwhere(region):
        for axis in range(region.ndim):
            for step in (-1, 1):
                beside = place.copy()
                beside[axis] += step
                inside = (beside >= 0).all() and (beside < region.shape).all()
                if not (inside and region[tuple(beside)]):
                    found.append(tuple(place))
    return np.array(sorted(set(found))) * np.array(spacing)


@pytest.mark.parametrize(
    ("shape", "spacing"), [((20, 26), (0.7, 1.3)), ((9, 12, 7), (1.0, 0.5, 3.0))]
)
def test_distances_are_those_of_all_pairs_of_surface_points(
    shape: tuple[int, ...], spacing: tuple[float, ...]
) -> None:
    middle = tuple(length / 2 for length in shape)
    one, other = blob(shape, middle, 3.5), blob(shape, tuple(c - 1.5 for c in middle), 3)
    first, second = points(one, spacing), points(other, spacing)
    pairs = np.linalg.norm(first[:, np.newaxis] - second, axis=-1)
    expected = np.concatenate([pairs.min(axis=1), pairs.min(axis=0)])
    distances = surface_distances(one, other, spacing)
    assert hausdorff95(distances) == pytest.approx(np.percentile(expected, 95), abs=1e-9)
    assert average_surface_distance(distances) == pytest.approx(expected.mean(), abs=1e-9)


def test_two_squares_side_by_side_are_as_far_apart_as_they_are() -> None:
    one, other = np.zeros((2, 12, 12), bool)
    one[4:7, 2:5] = other[4:7, 5:8] = True
    # All pixels but the middle are surface: of 8, 3 are 1 away, 2 (of 3) 2 and 3 are 3.
    distances = surface_distances(one, other, (1, 1))
    assert sorted(distances[0]) == pytest.approx([1, 1, 1, 2, 2, 3, 3, 3])
    assert average_surface_distance(distances) == pytest.approx(2)
    assert hausdorff95(surface_distances(one, other, (1, 2.5))) == pytest.approx(7.5)


def test_a_region_at_the_border_of_the_image_has_its_surface_there() -> None:
    whole = np.ones((4, 4), bool)
    inner = np.zeros((4, 4), bool)
    inner[1:3, 1:3] = True
    distances = surface_distances(whole, inner, (1, 1))
    assert (len(distances[0]), len(distances[1])) == (12, 4)


def test_overlaps_follow_from_counts() -> None:
    reference = RANDOM.integers(0, 3, (40, 50))
    predicted = np.where(RANDOM.random((40, 50)) < 0.3, RANDOM.integers(0, 3, (40, 50)), reference)
    confusion = confusion_of(reference, predicted, 3)
    for kind in range(3):
        a, b = reference == kind, predicted == kind
        found = overlaps(confusion, kind)
        assert found["dice"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
        assert found["iou"] == pytest.approx((a & b).sum() / (a | b).sum())
        assert found["precision"] == pytest.approx((a & b).sum() / b.sum())
        assert found["recall"] == pytest.approx((a & b).sum() / a.sum())
        assert found["volume_difference"] == pytest.approx((b.sum() - a.sum()) / a.sum())
        assert found["matthews"] == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_empty_regions_are_told_apart() -> None:
    empty, full = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    assert all(math.isnan(value) for value in overlaps(confusion_of(empty, empty, 2), 1).values())
    missed = overlaps(confusion_of(full, empty, 2), 1)
    invented = overlaps(confusion_of(empty, full, 2), 1)
    assert missed.pop("volume_difference") == -1
    assert invented.pop("volume_difference") == math.inf
    assert set(missed.values()) == set(invented.values()) == {0.0}
    distances = surface_distances(empty > 0, full > 0, (1, 1))
    assert hausdorff95(distances) == average_surface_distance(distances) == math.inf


def test_a_perfect_map_has_overlap_1_and_distance_0_and_full_images_no_correlation() -> None:
    full = np.ones((4, 4), np.uint8)
    found = overlaps(confusion_of(full, full, 2), 1)
    assert (found["dice"], found["volume_difference"], found["matthews"]) == (1, 0, 0)
    distances = surface_distances(full > 0, full > 0, (1, 1))
    assert hausdorff95(distances) == average_surface_distance(distances) == 0


def test_counts_of_large_volumes_do_not_overflow() -> None:
    confusion = np.array([[300_000_000, 1_000_000], [2_000_000, 50_000_000]], np.int64)
    tn, fp, fn, tp = (float(one) for one in confusion.ravel())
    scale = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert overlaps(confusion, 1)["matthews"] == pytest.approx((tp * tn - fp * fn) / scale)
