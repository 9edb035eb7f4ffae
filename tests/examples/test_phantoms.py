"""Phantoms show what their annotations say."""

import numpy as np
import pytest

from examples.applications import metastases, organs, perfusion, seeds
from examples.applications.shapes import ellipse, texture
from examples.components import boxes_of_components
from examples.coordinates.demo import landmarks

DRAWS = 20


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(4)


def test_boxes_are_around_components_that_are_large_enough() -> None:
    mask = np.zeros((6, 9), bool)
    mask[1:3, 2:6] = True
    # A corner in common is none: two components, of which one is small.
    mask[3, 6] = True
    mask[4:6, 7:9] = True
    boxes = boxes_of_components(mask, smallest=2, kind=3)
    assert boxes.tolist() == [[3, 2, 1, 6, 3], [3, 7, 4, 9, 6]]
    assert boxes_of_components(mask, smallest=9).shape == (0, 5)


def test_landmarks_are_the_middle_of_the_outermost_pixels() -> None:
    brain = np.zeros((30, 50), bool)
    # Of 1,000 pixels the outermost 20 are a column on either side, and half of the upper row.
    brain[5:25] = True
    points = landmarks(brain)
    assert points[:4].tolist() == [14.5, 49.0, 14.5, 0.0]
    assert points[4] == 5


def test_ellipses_have_their_area_and_textures_their_moments(random: np.random.Generator) -> None:
    inside = ellipse((64, 64), (30, 33), (20, 10), 0.4)
    assert inside.sum() == pytest.approx(np.pi * 200, rel=0.02)
    rows, cols = np.nonzero(inside)
    assert (rows.mean(), cols.mean()) == pytest.approx((30, 33), abs=0.1)
    # The first axis is turned from the rows towards the columns.
    assert np.cov(rows, cols)[0, 1] > 0
    noise = texture(random, (40, 40), 2)
    assert (noise.mean(), noise.std()) == pytest.approx((0, 1))


def test_windows_are_dark_where_a_seed_is(random: np.random.Generator) -> None:
    for _ in range(DRAWS):
        image, centre = seeds.window(random, has_seed=True)
        assert image.shape == (13, 13, 7, 1)
        row, col, place = np.rint(centre).astype(int)
        near = image[row - 1 : row + 2, col - 1 : col + 2, place]
        assert near.mean() < np.median(image) - 60
        # It is short: the tissue goes on beyond its ends.
        assert image[row, col, 0 if place > 3 else 6] > near.min()


def test_organs_lie_one_behind_the_other(random: np.random.Generator) -> None:
    for _ in range(DRAWS):
        image, labels = organs.phantom(random)
        assert image.shape == (*labels.shape, 1)
        assert set(np.unique(labels)) == {0, 1, 2, 3}
        rows = [np.nonzero(labels == kind)[0].mean() for kind in (1, 2, 3)]
        assert rows == sorted(rows)
        bright = [image[labels == kind].mean() for kind in (3, 2, 1)]
        assert bright == sorted(bright)


def test_the_first_pass_of_contrast_tells_the_blood_volume(random: np.random.Generator) -> None:
    for _ in range(DRAWS):
        signal, volume = perfusion.phantom(random)
        assert signal.shape == (64, 64, 30)
        assert (volume.min(), volume.max()) >= (0, 0.3)
        rise = signal.max(axis=-1) - signal[..., :4].mean(axis=-1)
        assert np.corrcoef(rise.ravel(), volume.ravel())[0, 1] > 0.9
        # Before contrast arrives, nothing does.
        inside = volume[..., 0] > 0
        before = signal[..., :4].mean(axis=-1)[inside]
        assert np.corrcoef(before, volume[inside, 0])[0, 1] < 0.5


def test_boxes_hold_bright_metastases(random: np.random.Generator) -> None:
    counts = []
    for _ in range(DRAWS):
        image, boxes = metastases.phantom(random)
        counts.append(len(boxes))
        for kind, left, top, right, bottom in boxes.astype(int):
            assert kind == 1
            inside = image[top:bottom, left:right, 0]
            # A box around an ellipse is filled to pi/4, one around two that touch to less.
            assert (inside > 500).mean() > 0.35
            assert min(right - left, bottom - top) >= 3
    assert min(counts) == 0
    assert max(counts) >= 3
