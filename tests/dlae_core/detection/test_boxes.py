"""Forms, areas and overlaps of boxes: DLAE 1.0's numbers, squares counted by hand, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlae_core.detection.boxes import (
    all_overlaps,
    areas,
    from_corners,
    intersections,
    overlaps,
    pixels_per_unit,
    to_corners,
)
from tests.dlae_core.detection.settings import (
    FORMS,
    detector_options,
    golden_arrays,
    random_boxes,
)


def test_forms_are_those_of_1_0() -> None:
    arrays = golden_arrays()
    minmax = arrays["coords/include/corners2minmax"]
    corners = minmax[:, [0, 2, 1, 3]]
    pixel = [0, 0, 1, 1]
    wide = arrays["coords/include/corners2centroids"]
    expected = {
        "coords/include/corners2minmax": from_corners(corners, "minmax"),
        "coords/include/minmax2corners": to_corners(minmax, "minmax"),
        "coords/convert2_centroids2minmax": from_corners(corners, "minmax"),
        "coords/include/corners2centroids": from_corners(corners, "centroids") + pixel,
        "coords/include/minmax2centroids": from_corners(corners, "centroids") + pixel,
        "coords/include/centroids2corners": to_corners(wide, "centroids"),
        "coords/include/centroids2minmax": from_corners(to_corners(wide, "centroids"), "minmax"),
    }
    for key, values in expected.items():
        np.testing.assert_allclose(arrays[key], values, rtol=0, atol=1e-9, err_msg=key)
    inside = arrays["coords/start_index1_corners2centroids"][:, 1:5]
    np.testing.assert_allclose(inside, from_corners(corners, "centroids"), rtol=0, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_overlaps_are_those_of_1_0(form: str) -> None:
    arrays = golden_arrays()
    boxes, others = (golden_boxes(arrays, number, form) for number in (1, 2))
    found = {
        "outer": all_overlaps(boxes, others),
        "element": overlaps(boxes, others[: len(boxes)]),
        "inter_outer": intersections(boxes[:, np.newaxis], others),
    }
    for kind, values in found.items():
        golden = arrays[f"iou/{kind}/{form}/half"]
        np.testing.assert_allclose(values, golden, rtol=0, atol=1e-9, err_msg=kind)


@pytest.mark.parametrize(("border", "pixels"), [("include", 1), ("exclude", -1)])
@pytest.mark.parametrize("form", FORMS)
def test_the_other_borders_of_1_0_are_longer_or_shorter_boxes(
    form: str, border: str, pixels: int
) -> None:
    arrays = golden_arrays()
    boxes, others = (golden_boxes(arrays, number, form) for number in (1, 2))
    boxes, others = boxes[:, np.newaxis], others[np.newaxis]
    longer = np.array([0, 0, pixels, pixels])
    golden = arrays[f"iou/inter_outer/{form}/{border}"]
    shared = intersections(boxes + longer, others + longer)
    np.testing.assert_allclose(shared, golden, rtol=0, atol=1e-9)
    # Its overlaps took the areas of these, but the intersection of the boxes as they are.
    shared = intersections(boxes, others)
    union = areas(boxes + longer) + areas(others + longer) - shared
    golden = arrays[f"iou/outer/{form}/{border}"]
    np.testing.assert_allclose(shared / union, golden, rtol=0, atol=1e-9)
    golden = arrays[f"iou/element/{form}/{border}"]
    np.testing.assert_allclose(np.diag(shared / union), golden, rtol=0, atol=1e-9)


def golden_boxes(arrays: Any, number: int, form: str) -> np.ndarray:
    """Returns DLAE 1.0's boxes by way of a form."""
    return to_corners(from_corners(arrays[f"iou/boxes{number}_corners"], form), form)


def test_overlaps_of_whole_pixels_are_those_of_counted_pixels() -> None:
    random = np.random.default_rng(0)
    low = random.integers(0, 12, (30, 2))
    boxes = np.concatenate([low, low + random.integers(1, 8, (30, 2))], axis=1)
    masks = np.zeros((30, 20, 20), bool)
    for mask, (xmin, ymin, xmax, ymax) in zip(masks, boxes, strict=True):
        mask[ymin:ymax, xmin:xmax] = True
    both = (masks[:, np.newaxis] & masks).sum((2, 3))
    either = (masks[:, np.newaxis] | masks).sum((2, 3))
    corners = boxes.astype(np.float64)
    np.testing.assert_array_equal(areas(corners), masks.sum((1, 2)))
    np.testing.assert_allclose(all_overlaps(corners, corners), both / either, rtol=1e-14)


def test_many_boxes_are_compared_in_blocks_as_one_by_one() -> None:
    random = np.random.default_rng(0)
    boxes, others = random_boxes(random, 61, (50, 70)), random_boxes(random, 1500, (50, 70))
    found = all_overlaps(boxes, np.asfortranarray(others))
    for box, row in zip(boxes, found, strict=True):
        np.testing.assert_array_equal(row, overlaps(np.broadcast_to(box, others.shape), others))


def test_boxes_without_area_overlap_nothing() -> None:
    boxes = np.array([[1.0, 1, 1, 5], [4, 1, 2, 5], [4, 5, 2, 1], [0, 0, 9, 9]])
    assert areas(boxes).tolist() == [0, 0, 0, 81]
    expected = np.zeros((4, 4))
    expected[3, 3] = 1
    np.testing.assert_array_equal(all_overlaps(boxes, boxes), expected)
    assert overlaps(boxes, boxes).tolist() == [0, 0, 0, 1]


def test_no_boxes_have_no_overlaps() -> None:
    none, some = np.empty((0, 4)), np.array([[0.0, 0, 1, 1]])
    assert all_overlaps(none, some).shape == (0, 1)
    assert all_overlaps(some, none).shape == (1, 0)
    assert all_overlaps(none, none).shape == (0, 0)


def test_normalized_boxes_are_relative_to_columns_and_rows() -> None:
    relative = detector_options(normalize_coordinates_switch=True)
    assert pixels_per_unit(relative, (20, 30)).tolist() == [30, 20, 30, 20]
    assert pixels_per_unit(detector_options(), (20, 30)).tolist() == [1, 1, 1, 1]


@given(seed=st.integers(0, 2**32), form=st.sampled_from(FORMS))
def test_every_form_comes_back_as_corners(seed: int, form: str) -> None:
    boxes = random_boxes(np.random.default_rng(seed), 5, (40, 60))
    np.testing.assert_allclose(to_corners(from_corners(boxes, form), form), boxes, atol=1e-12)


@given(seed=st.integers(0, 2**32))
def test_overlaps_are_mutual_between_0_and_1_and_the_same_in_any_units(seed: int) -> None:
    random = np.random.default_rng(seed)
    boxes, others = random_boxes(random, 4, (40, 60)), random_boxes(random, 6, (40, 60))
    found = all_overlaps(boxes, others)
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(found.T, all_overlaps(others, boxes), rtol=1e-12)
    sides = np.array([60, 40, 60, 40])
    np.testing.assert_allclose(all_overlaps(boxes / sides, others / sides), found, rtol=1e-9)
    np.testing.assert_allclose(np.diag(all_overlaps(boxes, boxes)), 1)
