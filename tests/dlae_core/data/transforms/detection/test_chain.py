"""The random chain of detectors against DLAE 1.0's own draws, and its properties."""

from typing import Any, cast

import numpy as np
import pytest

from dlae_core.data.transforms.boxes import around
from dlae_core.data.transforms.detection import DetectionChain
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.matrices import about_centre, identity, linear, translation
from dlae_core.data.transforms.resampling import resample
from tests.dlae_core.data.preparing import config_of
from tests.reference import reference_path

SPACE = (40, 56)
# The boxes that the golden chain starts from.
BOXES = np.array([[1, 5, 5, 20, 25], [2, 30, 10, 50, 35], [1, 2, 30, 10, 38]], np.float32)


class OriginalRandom:
    """Draws as DLAE 1.0 does, from NumPy's global generator of its time."""

    def __init__(self, seed: int) -> None:
        self._state = np.random.RandomState(seed)
        self._chosen = False

    def random(self) -> float:
        """Returns a coin: the sequence first, then whether a step is taken."""
        if not self._chosen:
            self._chosen = True
            return 0.0 if self._state.choice(2) else 0.9
        return 1 - self._state.uniform(0, 1)

    def uniform(self, low: float, high: float) -> float:
        """Returns a number between two others."""
        return self._state.uniform(low, high)

    def choice(self, items: tuple[int, ...]) -> int:
        """Returns one of a few items."""
        return int(self._state.choice(items))


def _chain(**settings: Any) -> DetectionChain:
    config = config_of((*SPACE, 1), **{f"augmentation__bbd_{k}": v for k, v in settings.items()})
    return DetectionChain.from_config(config.augmentation)


def _golden(key: str) -> np.ndarray:
    return np.load(reference_path("golden", "ssd.npz"))[f"bbdtf/{key}"]


@pytest.mark.parametrize("seed", range(12))
def test_the_draws_of_the_original_give_the_boxes_of_the_original(seed: int) -> None:
    random = cast(np.random.Generator, OriginalRandom(seed))
    ours = np.rint(_chain().draw(random, BOXES, SPACE).boxes)
    theirs = _golden(f"chain/seed{seed}/labels")
    assert ours.shape == theirs.shape
    # The original cuts at the last pixel's near edge (X11).
    edges = np.array([SPACE[1], SPACE[0]] * 2)
    at_edge = (ours[:, 1:] == edges) | (ours[:, 1:] == 0) | (theirs[:, 1:] == edges)
    assert np.abs(ours - theirs)[:, 1:][~at_edge].max(initial=0) == 0
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize(
    ("case", "matrix"),
    [
        ("flip_horizontal", about_centre(linear(2, np.diag((1.0, -1.0))), SPACE)),
        ("translate_dy0.1_dx-0.2", translation(np.array((-4.0, 11.0)))),
        ("translate_dy0.013_dx0", translation(np.array((-1.0, 0.0)))),
        # The original scales images about a centre half a pixel off.
        ("scale_0.5", about_centre(linear(2, np.eye(2) / 0.5), (41, 57))),
        ("scale_1.3", about_centre(linear(2, np.eye(2) / 1.3), (41, 57))),
        ("scale_2", about_centre(linear(2, np.eye(2) / 2), (41, 57))),
    ],
)
def test_steps_move_images_and_boxes_as_by_the_original(case: str, matrix: np.ndarray) -> None:
    image = _golden("img1")
    moved = resample(image.astype(np.float32), matrix, "linear", Filling("constant"))
    theirs = _golden(f"{case}/img1/img").reshape(moved.shape)
    # The original places samples to 1/32 pixel, on an image of a range of 255.
    np.testing.assert_allclose(moved, theirs, atol=0.05 * np.ptp(image.astype(float)))
    if case.startswith("translate"):
        np.testing.assert_allclose(
            around(BOXES, matrix), _golden(f"{case}/img1/labels_clip0"), atol=1e-5
        )


def test_the_numbers_of_the_original_are_the_defaults() -> None:
    chain = _chain()
    assert chain.zoom_in_first_probability == 0.5
    for step in (chain.translation, chain.zoom_in, chain.zoom_out, chain.mirror):
        assert step.probability == 0.5
    assert (chain.translation.low, chain.translation.high) == (0.03, 0.3)
    assert (chain.zoom_in.low, chain.zoom_in.high) == (1, 3)
    assert (chain.zoom_out.low, chain.zoom_out.high) == (0.9, 1)
    assert (chain.survival.overlap, chain.survival.area, chain.trials) == (0.5, 16, 3)


@pytest.mark.parametrize("seed", range(20))
def test_boxes_stay_on_their_content(seed: int) -> None:
    image = np.zeros((*SPACE, 1), np.float32)
    for number, xmin, ymin, xmax, ymax in BOXES[:2].astype(int):
        image[ymin:ymax, xmin:xmax] = number
    draw = _chain().draw(np.random.default_rng(seed), BOXES[:2], SPACE)
    moved = DetectionChain.apply(image, draw)[..., 0]
    for number, *edges in draw.boxes:
        xmin, ymin, xmax, ymax = np.rint(edges).astype(int)
        inner = moved[ymin + 2 : ymax - 2, xmin + 2 : xmax - 2]
        np.testing.assert_allclose(inner, number, atol=1e-3)
    outside = np.ones(SPACE, bool)
    for _, *edges in draw.boxes:
        xmin, ymin, xmax, ymax = np.rint(edges).astype(int)
        outside[max(ymin - 2, 0) : ymax + 2, max(xmin - 2, 0) : xmax + 2] = False
    if len(draw.boxes) == 2:
        np.testing.assert_allclose(moved[outside], 0, atol=1e-3)


def test_a_step_that_would_lose_every_box_is_left_out() -> None:
    corner = np.array([[1, 0, 0, 6, 6]], np.float32)
    chain = _chain(
        zoom_in_first_probability=1,
        translation_probability=0,
        zoom_probability=1,
        flip_probability=0,
        zoom_in_range=[3, 3],
    )
    draw = chain.draw(np.random.default_rng(1), corner, SPACE)
    np.testing.assert_array_equal(draw.matrix, identity(2))
    np.testing.assert_array_equal(draw.boxes, corner)


def test_an_image_without_boxes_varies_and_stays_without() -> None:
    none = np.zeros((0, 5), np.float32)
    draws = [_chain().draw(np.random.default_rng(seed), none, SPACE) for seed in range(20)]
    assert all(draw.boxes.shape == (0, 5) for draw in draws)
    assert any(not np.array_equal(draw.matrix, identity(2)) for draw in draws)


def test_all_settings_act() -> None:
    still = _chain(translation_probability=0, zoom_probability=0, flip_probability=0)
    for seed in range(10):
        draw = still.draw(np.random.default_rng(seed), BOXES, SPACE)
        np.testing.assert_array_equal(draw.matrix, identity(2))
    always = _chain(
        zoom_in_first_probability=0,
        translation_probability=1,
        zoom_probability=1,
        flip_probability=1,
        translation_range=[0.1, 0.1],
        zoom_out_range=[0.5, 0.5],
        minimum_overlap=0,
        minimum_area=1,
        trials=1,
    )
    for seed in range(10):
        matrix = always.draw(np.random.default_rng(seed), BOXES, SPACE).matrix
        np.testing.assert_allclose(np.abs(matrix[:2, :2]), np.diag((2, 2)))
        assert matrix[1, 1] == -2
