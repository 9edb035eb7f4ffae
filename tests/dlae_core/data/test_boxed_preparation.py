"""Samples of detectors: images and boxes move alike, and become what the loss takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.boxed_preparation import BoxedImages, BoxedPreparation
from dlae_core.data.keeping import Memory
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Passes, Pipeline, Resources
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.source import PairedFiles
from dlae_core.detection.encoding import Encoder
from tests.sessions import detector_text, write_shapes

SPACE, MAPS = (64, 64), [(8, 8), (4, 4)]
ROWS = 2 * (64 + 16)


def _config(**changes: Any) -> Config:
    return load_config(detector_text(Path("nowhere"), **changes)).config


def _preparation(**changes: Any) -> BoxedPreparation:
    config = _config(**changes)
    preprocessing = Preprocessing.from_config(config, Statistics())
    images = BoxedImages.from_config(config.augmentation, preprocessing)
    return BoxedPreparation(images, Encoder.of_network(config.bbd_options, SPACE, MAPS))


VARIED = {"augmentation__apply_augmentation_switch": True}
FLIPPED = {**VARIED, "augmentation__bbd_flip_probability": 1.0}


def _draws(number: int) -> np.random.Generator:
    return generator(1, Purpose.AUGMENTATION, number)


def test_a_target_is_that_of_the_boxes_where_they_are_after_moving() -> None:
    preparation = _preparation(**FLIPPED)
    image, boxes = np.ones((64, 64)), np.array([[2.0, 10, 20, 30, 44]])
    moved, where = preparation.images.sample(image, boxes, _draws(3))
    prepared, target = preparation.sample(image, boxes, _draws(3))
    assert not np.array_equal(where, boxes)
    np.testing.assert_array_equal(prepared, moved)
    np.testing.assert_array_equal(target, preparation.encoder.target(where))
    assert target.shape == (ROWS, 3 + 12)
    assert target.dtype == prepared.dtype == np.float32


@pytest.mark.parametrize("boxes", [np.zeros((0, 5)), np.zeros((0,))])
def test_an_image_without_boxes_is_all_background(boxes: np.ndarray) -> None:
    for random in (None, _draws(1)):
        _, target = _preparation(**VARIED).sample(np.ones((64, 64, 1)), boxes, random)
        np.testing.assert_array_equal(target[:, :3], np.tile([1, 0, 0], (ROWS, 1)))


def test_an_image_is_normalized_before_it_moves_so_that_outside_is_zero() -> None:
    """A bright image with one dark pixel, in units of its own range, is dark at that pixel only."""
    preparation = _preparation(
        **VARIED,
        augmentation__bbd_translation_probability=1.0,
        augmentation__bbd_zoom_probability=0.0,
        augmentation__bbd_flip_probability=0.0,
        preprocessing__normalization_type="samplewise_unity_x",
    )
    image = np.full((64, 64), 1000.0)
    image[30, 30] = 500
    moved, boxes = preparation.images.sample(image, np.array([1.0, 20, 20, 44, 44]), _draws(2))
    corner = np.rint(boxes[0, 1:3] - 20).astype(int)
    expected = np.zeros((64, 64))
    for row in range(64):
        for column in range(64):
            down, across = row - corner[1], column - corner[0]
            if 0 <= down < 64 and 0 <= across < 64:
                expected[row, column] = (image[down, across] - 500) / 500
    assert corner.any()
    np.testing.assert_allclose(moved[..., 0], expected, atol=1e-6)


def test_only_the_chain_makes_samples_vary() -> None:
    others = {"augmentation__horizontal_flip_switch": True, "augmentation__rotation_range": 9}
    assert _preparation(**VARIED).random
    assert not _preparation(**others).random


def _batches(folder: Path, nbytes: int, **changes: Any) -> tuple[list[Any], int]:
    """Returns the batches of two epochs, and how much memory samples were kept in."""
    with PairedFiles(folder / "shapes.h5", folder / "boxes.h5") as pairs:
        memory = Memory(nbytes)
        pipeline = Pipeline(
            pairs,
            pairs.names,
            _preparation(**changes),
            Passes(batch_size=3, shuffle=True, augment=True),
            Resources(threads=2, memory=memory),
        )
        found = [batch for epoch in range(2) for batch in pipeline.batches(epoch)]
        pipeline.close()
        return found, nbytes - memory.free


@pytest.mark.parametrize("changes", [{}, VARIED])
def test_batches_are_the_same_however_little_memory_there_is(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    write_shapes(tmp_path, count=8)
    image, target, boxes = 64 * 64 * 4, ROWS * 15 * 4, 5 * 8
    waiting = 3 * 3 * (image + target)
    # For all prepared; for the images and boxes of some beside two batches; for nothing.
    few = 2 * 3 * (image + target) + 3 * (image + 2 * boxes)
    whole, kept = _batches(tmp_path, 1 << 24, **changes)
    stored = 8 * image + 14 * boxes
    assert kept == waiting + (stored if changes else 8 * (image + target))
    for nbytes in (few, 1):
        less, kept = _batches(tmp_path, nbytes, **changes)
        assert kept <= nbytes
        for first, second in zip(whole, less, strict=True):
            np.testing.assert_array_equal(first.images, second.images)
            np.testing.assert_array_equal(first.targets, second.targets)
