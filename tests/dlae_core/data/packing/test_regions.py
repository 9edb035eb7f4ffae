"""Boxes around the regions of label maps."""

import time

import numpy as np
import pytest
from scipy import ndimage

from dlae_core.data.packing.regions import boxes_of_regions


def _by_scipy(labels: np.ndarray, smallest_px: int) -> list[tuple[int, ...]]:
    boxes = []
    for number in np.unique(labels[labels != 0]):
        regions, _ = ndimage.label(labels == number, np.ones((3, 3)))
        for place, (rows, cols) in enumerate(ndimage.find_objects(regions), start=1):
            if (regions == place).sum() >= smallest_px:
                boxes.append((int(number), cols.start, rows.start, cols.stop, rows.stop))
    return sorted(boxes)


@pytest.mark.parametrize("density", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("smallest_px", [1, 4])
def test_regions_are_those_of_scipy(density: float, smallest_px: int) -> None:
    random = np.random.default_rng(int(density * 100))
    for shape in ((1, 1), (1, 9), (9, 1), (13, 17), (40, 31)):
        labels = random.integers(1, 4, shape) * (random.random(shape) < density)
        found = boxes_of_regions(labels.astype(np.uint8), smallest_px)
        assert found.dtype == np.float32
        assert sorted(map(tuple, found.astype(int).tolist())) == _by_scipy(labels, smallest_px)


def test_a_map_without_objects_has_boxes_of_shape_0_5() -> None:
    assert boxes_of_regions(np.zeros((4, 4), np.uint8)).shape == (0, 5)


def test_regions_that_touch_at_a_corner_are_one_and_classes_are_apart() -> None:
    labels = np.array([[1, 0, 0], [0, 1, 2], [0, 0, 2]])
    np.testing.assert_array_equal(boxes_of_regions(labels), [[1, 0, 0, 2, 2], [2, 2, 1, 3, 3]])


def test_noise_takes_no_more_than_seconds() -> None:
    labels = (np.random.default_rng(0).random((512, 512)) < 0.3).astype(np.uint8)
    start = time.process_time()
    boxes_of_regions(labels)
    assert time.process_time() - start < 3
