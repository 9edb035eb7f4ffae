"""Images larger than a network's input, cut into tiles and put together."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from dlae_core.tiling import Run, Tiling, count_tiles, slabs, stretches, tiled


def _images(space: tuple[int, ...], channels: int = 2) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1, (*space, channels)).astype(np.float32)


def _blur(radius: int) -> Run:
    """Returns a network that sees `radius` pixels far, beyond its borders zeros."""

    def run(batch: np.ndarray) -> np.ndarray:
        size = (1, *[2 * radius + 1] * (batch.ndim - 2), 1)
        return ndimage.uniform_filter(batch, size, mode="constant") ** 2

    return run


@pytest.mark.parametrize("weights", ["gaussian", "average"])
@pytest.mark.parametrize(("length", "tile"), [(9, 9), (10, 9), (31, 9), (100, 16), (257, 64)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
def test_weights_of_all_tiles_add_up_to_one_at_every_pixel(
    length: int, tile: int, overlap: float, weights: str
) -> None:
    total = np.zeros(length)
    parts = stretches(length, tile, Tiling(overlap, weights))
    for part in parts:
        total[part.outside] += part.weights
        assert 0 <= part.start <= length - tile
    np.testing.assert_allclose(total, 1, rtol=1e-6)
    shared = [tile - (after.start - before.start) for before, after in pairwise(parts)]
    assert all(one >= int(tile * overlap) for one in shared)


@pytest.mark.parametrize(
    ("space", "tile"), [((70, 45), (32, 32)), ((32, 50), (32, 32)), ((20, 17, 9), (16, 12, 8))]
)
@pytest.mark.parametrize("weights", ["gaussian", "average"])
def test_what_a_network_sees_within_the_overlap_is_as_for_the_whole_image(
    space: tuple[int, ...], tile: tuple[int, ...], weights: str
) -> None:
    image = _images(space)
    expected = _blur(1)(image[np.newaxis])[0]
    for tiles in (1, 3, 100):
        found = tiled(image, tile, _blur(1), Tiling(0.5, weights, tiles))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_field_of_view_of_a_quarter_of_the_overlap_is_allowed_and_no_larger_one() -> None:
    image = _images((200,), 1)[:, np.newaxis]
    for radius, equal in ((8, True), (9, False)):
        run = _blur_rows(radius)
        found = tiled(image, (64, 1), run, Tiling(0.5))
        assert np.allclose(found, run(image[np.newaxis])[0], atol=1e-5) == equal


def _blur_rows(radius: int) -> Run:
    def run(batch: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter1d(batch, 2 * radius + 1, axis=1, mode="constant")

    return run


def test_poolings_see_the_same_groups_as_in_the_whole_image() -> None:
    def run(batch: np.ndarray) -> np.ndarray:
        pooled = batch.reshape(len(batch), -1, 8, 1).mean(axis=2, keepdims=True)
        return np.broadcast_to(pooled, (len(batch), pooled.shape[1], 8, 1)).reshape(batch.shape)

    image = _images((168,), 1)
    found = tiled(image, (64,), run, Tiling(0.5))
    np.testing.assert_allclose(found, run(image[np.newaxis])[0], atol=1e-6)


def test_no_more_tiles_are_predicted_at_once_than_allowed() -> None:
    sizes: list[int] = []

    def run(batch: np.ndarray) -> np.ndarray:
        sizes.append(len(batch))
        return batch

    image = _images((64, 48))
    np.testing.assert_allclose(tiled(image, (16, 16), run, Tiling(tiles=3)), image, rtol=1e-5)
    # Tiles begin at every 8th pixel.
    assert sum(sizes) == 7 * 5
    assert max(sizes) == 3


@pytest.mark.parametrize("wrong", [{"overlap": 1.0}, {"weights": "median"}, {"tiles": 0}])
def test_a_tiling_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Tiling(**wrong)


@pytest.mark.parametrize("tiles", [1, 3, 100])
@pytest.mark.parametrize("space", [(32, 32), (200, 45), (70, 33)])
def test_slabs_add_up_to_the_whole(space: tuple[int, int], tiles: int) -> None:
    image, tiling = _images(space), Tiling(0.5, tiles=tiles)
    parts = [part.copy() for part in slabs(image, (32, 32), _blur(1), tiling)]
    whole = tiled(image, (32, 32), _blur(1), tiling)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_slabs_hold_no_more_than_a_few_rows_of_tiles() -> None:
    image = np.zeros((2000, 40, 1), np.float32)

    def run(batch: np.ndarray) -> np.ndarray:
        return np.zeros((*batch.shape[:-1], 50), np.float32)

    def peak(outputs: Callable[..., Iterator[Any] | Any]) -> int:
        tracemalloc.start()
        for _ in outputs(image, (32, 32), run, Tiling(0.5, tiles=1)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    whole = image.size * 50 * 4
    assert peak(tiled) > whole
    assert peak(slabs) < whole / 10


@pytest.mark.parametrize(("space", "count"), [((32, 32), 1), ((33, 32), 2), ((64, 48), 6)])
def test_tiles_are_counted(space: tuple[int, int], count: int) -> None:
    assert count_tiles(space, (32, 32), 0.5) == count
