"""Whole samples: images and annotations prepared, varied and moved together."""

from typing import Any

import numpy as np
import pytest

from dlae_core.data.preparation import Preparation
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.targets import TargetKind
from dlae_core.data.transforms import move_points
from tests.dlae_core.data.preparing import config_of, preparation_of, preprocessing_of

SPACE = (24, 32)
SHAPE = (*SPACE, 1)
GEOMETRY: dict[str, Any] = {
    "augmentation__rotation_range": 30,
    "augmentation__width_shift": 0.1,
    "augmentation__height_shift": 3,
    "augmentation__shear_range": 10,
    "augmentation__zoom_range": 0.2,
    "augmentation__horizontal_flip_switch": True,
    "augmentation__vertical_flip_switch": True,
}
INTENSITIES: dict[str, Any] = {
    "augmentation__brightness_range": [0.5, 1.5],
    "augmentation__channel_shift_range": 20,
}
REGRESSION: dict[str, Any] = {"config_file__model_signal": "CNN"}


def _random(sample: int = 0) -> np.random.Generator:
    return generator(1, Purpose.AUGMENTATION, 0, 0, sample)


def _stored(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(12).integers(0, 4000, shape).astype(np.uint16)


def _labels(space: tuple[int, ...] = SPACE, classes: int = 5) -> np.ndarray:
    blocks = np.random.default_rng(13).integers(0, classes, [-(-size // 4) for size in space])
    for axis, size in enumerate(space):
        blocks = blocks.repeat(4, axis).take(range(size), axis)
    return blocks.astype(np.uint8)


@pytest.mark.parametrize("repeat", [1, 3])
def test_validation_prepares_images_bit_for_bit_as_prediction_does(repeat: int) -> None:
    settings = {
        "preprocessing__repeat_X_switch": repeat > 1,
        "preprocessing__repeat_X_quantity": repeat,
        "preprocessing__normalization_type": "samplewise_negpos_x",
        "augmentation__samplewise_centering_switch": True,
        "augmentation__samplewise_normalization_switch": True,
        "augmentation__zca_epsilon": 0.01,
    }
    shape = (*SPACE, repeat)
    preparation = preparation_of(shape, "sparse", SPACE, 5, **settings, **GEOMETRY, **INTENSITIES)
    served = preprocessing_of(shape, **settings).image(_stored())
    image, _ = preparation.sample(_stored(), _labels(), None)
    assert served.shape == shape
    assert image.tobytes() == served.tobytes()


def test_samples_are_a_function_of_their_place() -> None:
    preparation = preparation_of(SHAPE, "one_hot", SPACE, 5, **GEOMETRY, **INTENSITIES)
    first, again, other = (
        preparation.sample(_stored(), _labels(), _random(number)) for number in (7, 7, 8)
    )
    for one, two, three in zip(first, again, other, strict=True):
        assert one.tobytes() == two.tobytes()
        assert one.tobytes() != three.tobytes()


@pytest.mark.parametrize(
    ("kind", "dtype", "last"), [("one_hot", np.float32, 5), ("sparse", np.int32, 1)]
)
@pytest.mark.parametrize("space", [SPACE, (12, 16, 8)])
def test_label_maps_move_with_their_image(
    kind: TargetKind, dtype: type, last: int, space: tuple[int, ...]
) -> None:
    labels = _labels(space)
    settings = GEOMETRY | {
        "augmentation__interpolation": "nearest",
        "augmentation__rotation_axes": "all",
    }
    preparation = preparation_of((*space, 1), kind, space, 5, **settings)
    moved = 0
    for sample in range(10):
        image, target = preparation.sample(labels, labels, _random(sample))
        assert image.dtype == np.float32
        assert target.dtype == dtype
        assert target.shape == (*space, last)
        numbers = target.argmax(-1) if kind == "one_hot" else target[..., 0]
        np.testing.assert_array_equal(numbers, image[..., 0])
        moved += not np.array_equal(numbers, labels)
    assert moved >= 9


def test_classes_are_never_mixed() -> None:
    # Linear interpolation between 0 and 4 would give the classes between them (A3).
    labels = np.where(_labels(classes=2), 4, 0).astype(np.uint8)
    preparation = preparation_of(SHAPE, "sparse", SPACE, 5, **GEOMETRY)
    for sample in range(10):
        _, target = preparation.sample(_stored(), labels, _random(sample))
        assert set(np.unique(target)) == {0, 4}


def test_outside_of_a_constant_border_is_background() -> None:
    settings = {
        "augmentation__height_shift": 20,
        "augmentation__fill_mode": "constant",
        "augmentation__cval": 3,
    }
    preparation = preparation_of(SHAPE, "sparse", SPACE, 5, **settings)
    image, target = preparation.sample(np.full(SPACE, 7), np.full(SPACE, 4, np.uint8), _random())
    assert set(np.unique(target)) == {0, 4}
    assert (target[..., 0][image[..., 0] == 3] == 0).all()
    assert image.min() == 3


def test_many_classes_move_too() -> None:
    labels = (np.arange(24 * 32).reshape(SPACE) % 700).astype(np.int32)
    settings = {"augmentation__horizontal_flip_switch": True}
    preparation = preparation_of(SHAPE, "sparse", SPACE, 700, **settings)
    targets = [preparation.sample(labels, labels, _random(n))[1][..., 0] for n in range(6)]
    assert any(np.array_equal(target, labels[:, ::-1]) for target in targets)
    assert all(
        np.array_equal(target, labels) or np.array_equal(target, labels[:, ::-1])
        for target in targets
    )


def test_maps_of_values_are_interpolated_with_their_image_and_normalized_after() -> None:
    values = _stored().astype(np.float32)
    kind = {"preprocessing__normalization_type": "samplewise_unity_xy"}
    preparation = preparation_of(SHAPE, "values", SHAPE, 0, **GEOMETRY, **kind)
    image, target = preparation.sample(values, 3 * values + 5, _random(3))
    np.testing.assert_allclose(target, image, atol=1e-5)
    assert (target.min(), target.max()) == (0, 1)


def test_annotations_keep_their_intensities() -> None:
    values = _stored().astype(np.float32)
    preparation = preparation_of(SHAPE, "values", SHAPE, 0, **INTENSITIES)
    image, target = preparation.sample(values, values, _random())
    np.testing.assert_array_equal(target, values)
    assert not np.array_equal(image, values)


def _of_vectors(annotation_type: str | None, count: int, space: tuple[int, ...]) -> Preparation:
    chosen = {"preprocessing__annotation_type": annotation_type} if annotation_type else {}
    return preparation_of((*space, 1), "values", (count,), 0, **GEOMETRY, **REGRESSION, **chosen)


@pytest.mark.parametrize("space", [SPACE, (12, 16, 8)])
def test_coordinates_move_with_their_image(space: tuple[int, ...]) -> None:
    rank = len(space)
    points = np.random.default_rng(14).uniform(2, 7, (2, rank)).astype(np.float32)
    preparation = _of_vectors("coordinates", 2 * rank, space)
    for sample in range(5):
        _, target = preparation.sample(np.zeros(space), points.ravel(), _random(sample))
        matrix = preparation.variation.draw(_random(sample), (*space, 1)).matrix
        assert target.shape == (2 * rank,)
        assert target.dtype == np.float32
        np.testing.assert_allclose(target, move_points(points, matrix).ravel())


def test_a_bright_pixel_and_its_coordinates_flip_together() -> None:
    settings = {"augmentation__vertical_flip_switch": True, **REGRESSION}
    settings["preprocessing__annotation_type"] = "coordinates"
    preparation = preparation_of(SHAPE, "values", (2,), 0, **settings)
    image = np.zeros(SPACE)
    image[3, 20] = 1
    seen = set()
    for sample in range(8):
        moved, target = preparation.sample(image, np.array([3, 20]), _random(sample))
        assert moved[tuple(target.astype(int))] == 1
        seen.add(float(target[0]))
    assert seen == {3, 20}


@pytest.mark.parametrize("annotation_type", ["values", None])
def test_values_of_images_stay_as_they_are(annotation_type: str | None) -> None:
    preparation = _of_vectors(annotation_type, 2, SPACE)
    _, target = preparation.sample(np.zeros(SPACE), np.array([5, 6]), _random())
    assert target.tolist() == [5, 6]


def test_classes_of_images_stay_as_they_are() -> None:
    preparation = preparation_of(SHAPE, "one_hot", (), 3, **GEOMETRY, **REGRESSION)
    _, target = preparation.sample(_stored(), np.array(2), _random())
    assert target.tolist() == [0, 0, 1]


def test_brightness_changes_stored_intensities_before_centering_and_scaling() -> None:
    stored = _stored().astype(np.float32)
    settings = {
        "augmentation__samplewise_centering_switch": True,
        "preprocessing__normalization_type": "global_unity_x",
        "preprocessing__minimum_image_intensity": [-2000],
        "preprocessing__maximum_image_intensity": [2000],
        "augmentation__brightness_range": [0.5, 1.5],
    }
    preparation = preparation_of(SHAPE, "sparse", SPACE, 5, **settings)
    factor = preparation.variation.draw(_random(), SHAPE).factor
    image, _ = preparation.sample(stored, _labels(), _random())
    brighter = stored * factor
    np.testing.assert_allclose(image, (brighter - brighter.mean() + 2000) / 4000, atol=1e-5)


def test_geometry_comes_after_centering_and_before_normalization() -> None:
    settings = {
        "augmentation__samplewise_centering_switch": True,
        "augmentation__height_shift": 10,
        "augmentation__fill_mode": "constant",
        "augmentation__cval": 0,
        "preprocessing__normalization_type": "global_unity_x",
        "preprocessing__minimum_image_intensity": [-1],
        "preprocessing__maximum_image_intensity": [1],
    }
    preparation = preparation_of(SHAPE, "sparse", SPACE, 5, **settings)
    stored = np.zeros(SPACE)
    stored[:, 16:] = 2
    image, _ = preparation.sample(stored, _labels(), _random())
    # Outside is 0 of the centered image, -1 and 1 are inside.
    assert {0.0, 0.5, 1.0} <= set(np.unique(image.round(4)))


def test_without_augmentation_nothing_is_random() -> None:
    settings = {**GEOMETRY, **INTENSITIES, "augmentation__apply_augmentation_switch": False}
    preparation = preparation_of(SHAPE, "sparse", SPACE, 5, **settings)
    assert not preparation.random
    image, _ = preparation.sample(_stored(), _labels(), _random())
    np.testing.assert_array_equal(image, _stored())


def test_whitening_acts_without_augmentation() -> None:
    config = config_of(SHAPE, augmentation__zca_epsilon=0.1)
    assert not config.augmentation.apply_augmentation_switch
    settings = {"augmentation__zca_epsilon": 0.1, "preprocessing__normalization_type": "none"}
    assert np.abs(preprocessing_of(SHAPE, **settings).image(_stored())).max() < 50
