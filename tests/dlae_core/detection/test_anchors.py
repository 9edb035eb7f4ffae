"""Anchors: DLAE 1.0's encoder, the specification's numbers, and closed forms."""

import numpy as np
import pytest

from dlae_core.detection.anchors import anchor_scales, anchor_tables, hooks_beyond_image
from tests.dlae_core.detection.settings import (
    FORMS,
    PER_HOOK,
    detector_options,
    golden_arrays,
    golden_options,
    golden_texts,
    image_of,
)


def test_anchors_are_those_of_the_encoder_of_1_0() -> None:
    arrays = golden_arrays()
    for name, case in golden_texts()["anchor_configs"].items():
        rows, columns = image_of(case)
        maps = [tuple(size) for size in case["predictor_sizes"]]
        tables = anchor_tables(golden_options(case), (rows, columns), maps)
        for hook, table in enumerate(tables):
            found = table.boxes()
            if case["clip_boxes"]:
                found = _clipped_as_in_1_0(found, case["coords"], rows, columns)
            expected = arrays[f"anchors/{name}/encoder/layer{hook}"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=name)


def _clipped_as_in_1_0(boxes: np.ndarray, coordinates: str, rows: int, columns: int) -> np.ndarray:
    """Returns normalized anchors with DLAE 1.0's clipping, one pixel short at one side (X11)."""
    corners = boxes
    if coordinates == "centroids":
        half = boxes[..., 2:] / 2
        corners = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
    sides = np.array([columns, rows, columns, rows])
    pixels = np.where(corners * sides >= sides, sides - 1, np.maximum(corners * sides, 0)) / sides
    if coordinates == "centroids":
        low, high = pixels[..., :2], pixels[..., 2:]
        return np.concatenate([(low + high) / 2, high - low], axis=-1)
    return pixels


def test_cell_of_the_specification() -> None:
    options = detector_options(
        scaling_type=PER_HOOK,
        scales=[0.2, 0.4],
        aspect_ratios=[1.0, 2.0, 0.5],
        normalize_coordinates_switch=True,
    )
    boxes = anchor_tables(options, (64, 64), [(2, 2)])[0].boxes()
    expected = [
        (0.25, 0.25, 0.2, 0.2),
        (0.25, 0.25, 0.282843, 0.141421),
        (0.25, 0.25, 0.141421, 0.282843),
    ]
    np.testing.assert_allclose(boxes[0, 0], expected, atol=1e-6)


def test_cells_of_the_specification_with_two_boxes_in_pixels() -> None:
    options = detector_options(aspect_ratios=[0.5, 1.0], two_boxes_for_AR1_switch=True)
    assert anchor_scales(options, 2) == pytest.approx((0.1, 0.5, 0.9))
    first, second = anchor_tables(options, (64, 64), [(2, 2), (1, 1)])
    expected = [(16, 16, 4.525483, 9.050967), (16, 16, 6.4, 6.4), (16, 16, 14.310835, 14.310835)]
    np.testing.assert_allclose(first.boxes()[0, 0], expected, atol=1e-6)
    expected = [
        (32, 32, 22.627417, 45.254834),
        (32, 32, 32, 32),
        (32, 32, 42.932505, 42.932505),
    ]
    np.testing.assert_allclose(second.boxes()[0, 0], expected, atol=1e-6)


def test_scales_of_hooks_are_taken_as_they_are_and_global_ones_from_the_smallest_two() -> None:
    assert anchor_scales(detector_options(scaling_type=PER_HOOK, scales=[0.3, 0.1, 0.2]), 2) == (
        pytest.approx((0.3, 0.1, 0.2))
    )
    assert anchor_scales(detector_options(scales=[0.9, 0.1, 0.3]), 2) == pytest.approx(
        (0.1, 0.2, 0.3)
    )


def test_steps_and_offsets_place_rows_and_columns() -> None:
    options = detector_options(aspect_ratios=[1.0], steps=[[8, 4], 16], offsets=[0, [0.25, 1]])
    first, second = anchor_tables(options, (32, 32), [(4, 8), (2, 2)])
    rows, columns = np.meshgrid(8.0 * np.arange(4), 4.0 * np.arange(8), indexing="ij")
    np.testing.assert_array_equal(first.boxes()[:, :, 0, 0], columns)
    np.testing.assert_array_equal(first.boxes()[:, :, 0, 1], rows)
    np.testing.assert_array_equal(second.boxes()[0, :, 0, :2], [(16, 4), (32, 4)])


def test_clipping_is_to_the_whole_image() -> None:
    options = detector_options(
        aspect_ratios=[1.0], scales=[2.0, 3.0], clip_boxes_switch=True, coordinates_type="corners"
    )
    boxes = anchor_tables(options, (10, 20), [(1, 1)])[0].boxes()
    np.testing.assert_array_equal(boxes[0, 0], [(0, 0, 20, 10)])


def test_coordinates_are_the_same_box_in_three_forms() -> None:
    forms = {
        name: anchor_tables(detector_options(coordinates_type=name), (32, 48), [(2, 3)])[0].boxes()
        for name in FORMS
    }
    cx, cy, width, height = np.moveaxis(forms["centroids"], -1, 0)
    corners = np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=-1)
    np.testing.assert_allclose(forms["corners"], corners, atol=1e-12)
    np.testing.assert_array_equal(forms["minmax"], forms["corners"][..., [0, 2, 1, 3]])


def test_hooks_whose_anchors_leave_the_image_are_named() -> None:
    maps = [(64, 64), (32, 32), (16, 16)]
    assert hooks_beyond_image(detector_options(), (128, 128), maps) == []
    assert hooks_beyond_image(detector_options(steps=[2, 8, [8, 9]]), (128, 128), maps) == [1, 2]
