"""Boxes found tile by tile."""

import numpy as np
import pytest
from scipy import ndimage

from dlae_core.detection.suppression import Suppression
from dlae_core.postprocessing.tiled_boxes import boxes_of_tiles
from dlae_core.tiling import Tiling

TILE = (32, 32)
SUPPRESSION = Suppression(overlap=0.5, per_class=400, most=0)


def _detect(images: np.ndarray) -> list[np.ndarray]:
    """Finds connected bright regions, as a perfect detector would: what it sees of them."""
    return [_boxes(image[..., 0]) for image in images]


def _boxes(image: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(image)
    rows = [
        (1, image[place].max(), place[1].start, place[0].start, place[1].stop, place[0].stop)
        for place in ndimage.find_objects(labels)
    ]
    found = np.array(rows, np.float32).reshape(-1, 6)
    return found[np.argsort(-found[:, 1], kind="stable")]


def _scene(space: tuple[int, int], side: int, seed: int) -> np.ndarray:
    """Draws squares that do not touch, each of its own brightness, so of its own confidence."""
    random = np.random.default_rng(seed)
    image = np.zeros((*space, 1), np.float32)
    cells = [(r, c) for r in range(0, space[0] - 16, 17) for c in range(0, space[1] - 16, 17)]
    for number, (row, col) in enumerate(cells):
        down, right = random.integers(0, 17 - side, 2) + np.array([row, col])
        image[down : down + side, right : right + side] = 1 - number / (2 * len(cells))
    return image


@pytest.mark.parametrize("space", [(32, 32), (33, 90), (100, 47), (128, 128)])
@pytest.mark.parametrize("side", [3, 9, 12])
@pytest.mark.parametrize("tiles", [1, 4])
def test_objects_up_to_three_quarters_of_what_tiles_share_are_found_once_and_whole(
    space: tuple[int, int], side: int, tiles: int
) -> None:
    image = _scene(space, side, seed=side)
    found = boxes_of_tiles(image, TILE, _detect, Tiling(0.5, tiles=tiles), SUPPRESSION)
    np.testing.assert_array_equal(found, _boxes(image[..., 0]))


def test_no_more_boxes_are_left_than_asked_for() -> None:
    image = _scene((100, 100), 9, seed=1)
    few = Suppression(overlap=0.5, per_class=400, most=5)
    found = boxes_of_tiles(image, TILE, _detect, Tiling(0.5), few)
    np.testing.assert_array_equal(found, _boxes(image[..., 0])[:5])


def test_an_image_without_objects_has_no_boxes() -> None:
    image = np.zeros((50, 50, 1), np.float32)
    assert boxes_of_tiles(image, TILE, _detect, Tiling(0.5), SUPPRESSION).shape == (0, 6)
