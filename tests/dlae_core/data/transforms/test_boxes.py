"""Points and boxes that move along with their image."""

import numpy as np
import pytest

from dlae_core.data.transforms import move_boxes, move_points
from dlae_core.data.transforms.boxes import Survival, areas
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.matrices import about_centre, linear, translation
from dlae_core.data.transforms.resampling import resample
from tests.dlae_core.data.transforms.affine import some_matrix

EMPTY = Filling("constant")


@pytest.mark.parametrize("space", [(40, 50), (24, 30, 20)])
@pytest.mark.parametrize("degrees", [0, 13, 90])
def test_points_go_where_their_pixels_go(space: tuple[int, ...], degrees: float) -> None:
    matrix = some_matrix(space, degrees)
    places = np.moveaxis(np.indices(space), 0, -1)
    point = (np.array(space) - 1) / 2 + (2.3, -3.1, 1.7)[: len(space)]
    blob = np.exp(-((places - point) ** 2).sum(-1) / 8)[..., np.newaxis].astype(np.float32)
    moved = resample(blob, matrix, "linear", EMPTY)[..., 0]
    centre = (places * moved[..., np.newaxis]).sum(axis=tuple(range(len(space)))) / moved.sum()
    np.testing.assert_allclose(move_points(point[np.newaxis], matrix)[0], centre, atol=0.05)


@pytest.mark.parametrize("degrees", [0, 20, 90, 133])
def test_boxes_lie_around_their_moved_content(degrees: float) -> None:
    space, box = (60, 80), np.array([[3, 20, 15, 45, 30]], np.float32)
    matrix = some_matrix(space, degrees)
    content = np.zeros((*space, 1), np.uint8)
    content[15:30, 20:45] = 1
    rows, columns = resample(content, matrix, "nearest", EMPTY)[..., 0].nonzero()
    around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    moved = move_boxes(box, matrix, space)
    assert moved.dtype == np.float32
    assert moved[0, 0] == 3
    np.testing.assert_allclose(moved[0, 1:], around, atol=1.2)


def test_flips_and_shifts_move_boxes_exactly() -> None:
    boxes = np.array([[1, 5, 5, 20, 25], [2, 30, 10, 50, 35]], np.float32)
    mirror = about_centre(linear(2, np.diag((1.0, -1.0))), (40, 56))
    flipped = [[1, 36, 5, 51, 25], [2, 6, 10, 26, 35]]
    np.testing.assert_allclose(move_boxes(boxes, mirror, (40, 56)), flipped, atol=1e-5)
    shifted = [[1, 0, 9, 9, 29], [2, 19, 14, 39, 39]]
    shift = translation(np.array((-4.0, 11.0)))
    np.testing.assert_allclose(move_boxes(boxes, shift, (40, 56)), shifted, atol=1e-5)


def test_boxes_that_leave_the_image_are_dropped() -> None:
    boxes = np.array([[1, 0, 0, 4, 4], [2, 10, 10, 14, 14]], np.float32)
    left = move_boxes(boxes, translation(np.array((4.0, 4.0))), (20, 20))
    np.testing.assert_array_equal(left, [[2, 6, 6, 10, 10]])
    assert move_boxes(boxes[:0], np.eye(3), (20, 20)).shape == (0, 5)


def test_areas_are_those_of_the_sides() -> None:
    boxes = np.array([[1, 2, 3, 5, 7], [1, 4, 4, 4, 9], [1, 5, 5, 3, 3]], np.float32)
    assert (areas(boxes) > 0).tolist() == [True, False, False]
    assert areas(boxes)[0] == 12


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((0, 0, 10, 10), [0, 0, 10, 10]),
        ((-5, 0, 5, 10), [0, 0, 5, 10]),  # half of it is inside
        ((-6, 0, 4, 10), None),
        ((16, 16, 24, 20), [16, 16, 20, 20]),  # up to the edge, not to the last pixel (X11)
        ((0, 0, 4, 3.9), None),  # less than 16 pixels
        ((5, 5, 5, 30), None),
        ((8, 8, 4, 4), None),
    ],
)
def test_boxes_survive_by_their_share_inside(
    box: tuple[float, ...], kept: list[float] | None
) -> None:
    left = Survival().of(np.array([[1, *box]], np.float32), (20, 20))
    assert left[:, 1:].tolist() == ([] if kept is None else [kept])
