"""Preparation of images and annotations against formulas and against DLAE 1.0's own generators."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dlae_core.data.normalization import EPSILON, Statistics
from tests.dlae_core.data.preparing import preprocessing_of
from tests.reference import reference_path

TYPES = [
    f"{scope}_{kind}_{subjects}"
    for subjects in ("x", "xy")
    for scope in ("samplewise", "global")
    for kind in ("unity", "negpos")
] + ["none"]
# What the golden data were made with: images, annotations.
LOW, HIGH = [-10, 0], [250, 2]
SHAPE = (8, 7, 1)
CENTER = "augmentation__samplewise_centering_switch"
SCALE = "augmentation__samplewise_normalization_switch"


@pytest.fixture(scope="module")
def golden() -> Mapping[str, np.ndarray]:
    return np.load(reference_path("golden", "data.npz"))


def _settings(kind: str, model: str) -> dict[str, Any]:
    return {
        "config_file__model_signal": model,
        "preprocessing__normalization_type": kind,
        "preprocessing__minimum_image_intensity": LOW,
        "preprocessing__maximum_image_intensity": HIGH,
    }


def _batches(golden: Mapping[str, np.ndarray], place: str, what: str) -> np.ndarray:
    return np.concatenate([golden[f"{place}/batch{number}/{what}"] for number in (0, 1)])


@pytest.mark.parametrize("subset", ["train", "validation", "test"])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("dataset", "model"), [("cnn2d", "CNN"), ("fcn2d_reg", "FCN")])
def test_images_are_normalized_as_by_the_original(
    golden: Mapping[str, np.ndarray], dataset: str, model: str, kind: str, subset: str
) -> None:
    preprocessing = preprocessing_of(SHAPE, **_settings(kind, model))
    ours = np.stack([preprocessing.image(image) for image in golden[f"ds/{dataset}/X"]])
    theirs = _batches(golden, f"norm/{dataset}/{kind}/{subset}", "X")
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", TYPES)
def test_annotations_of_values_are_normalized_as_by_the_original(
    golden: Mapping[str, np.ndarray], kind: str
) -> None:
    preprocessing = preprocessing_of(SHAPE, **_settings(kind, "FCN"))
    stored = golden["ds/fcn2d_reg/y"]
    ours = np.stack([preprocessing.annotation(values) for values in stored])
    theirs = _batches(golden, f"norm/fcn2d_reg/{kind}/train", "y")
    if kind == "global_unity_xy":  # the original takes the image (D11)
        theirs = (stored - LOW[1]) / (HIGH[1] - LOW[1])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("samplewise_center", {CENTER: True}),
        ("samplewise_std", {SCALE: True}),
        ("samplewise_both", {CENTER: True, SCALE: True}),
        ("both_then_unity", {CENTER: True, SCALE: True, "unity": True}),
    ],
)
@pytest.mark.parametrize("dataset", ["cnn2d", "fcn2d"])
def test_images_are_centered_and_scaled_as_by_the_original(
    golden: Mapping[str, np.ndarray], dataset: str, case: str, settings: dict[str, Any]
) -> None:
    given = dict(settings)
    kind = "samplewise_unity_x" if given.pop("unity", False) else "none"
    preprocessing = preprocessing_of(SHAPE, preprocessing__normalization_type=kind, **given)
    ours = [preprocessing.image(image) for image in golden[f"ds/{dataset}/X"][:4]]
    # Not the test subset, where the original leaves it out (D5).
    for subset in ("train", "validation"):
        theirs = golden[f"switch/{dataset}/{case}/{subset}/batch0/X"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_channels_are_repeated_as_in_validation_of_the_original(
    golden: Mapping[str, np.ndarray],
) -> None:
    settings = {"preprocessing__repeat_X_switch": True, "preprocessing__repeat_X_quantity": 3}
    preprocessing = preprocessing_of(
        (8, 7, 3), preprocessing__normalization_type="none", **settings
    )
    ours = [preprocessing.image(image) for image in golden["ds/fcn2d/X"][:4]]
    # In training the original undoes it (D2).
    np.testing.assert_array_equal(ours, golden["switch/fcn2d/repeat3/validation/batch0/X"])


def test_channels_are_repeated_in_place() -> None:
    settings = {"preprocessing__repeat_X_switch": True, "preprocessing__repeat_X_quantity": 2}
    preprocessing = preprocessing_of(
        (1, 1, 4), preprocessing__normalization_type="none", **settings
    )
    assert preprocessing.image(np.array([[[5, 7]]]))[0, 0].tolist() == [5, 5, 7, 7]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", [0, 7])
def test_flat_images_keep_their_value_unless_the_ends_are_given(kind: str, value: int) -> None:
    preprocessing = preprocessing_of(SHAPE, **_settings(kind, "FCN"))
    image = preprocessing.image(np.full((8, 7), value, np.int16))
    scaled = {"global_unity": (value + 10) / 260, "global_negpos": (value + 10) / 130 - 1}
    expected = scaled.get(kind.rpartition("_")[0], value)
    np.testing.assert_allclose(image, np.full(SHAPE, expected), rtol=1e-6)


def test_flat_images_are_centered_to_zero_and_not_blown_up() -> None:
    settings = {CENTER: True, SCALE: True, "preprocessing__normalization_type": "none"}
    image = preprocessing_of(SHAPE, **settings).image(np.full((8, 7), 1000, np.uint16))
    np.testing.assert_array_equal(image, 0)


def test_featurewise_statistics_are_those_of_each_channel_over_all_images() -> None:
    random = np.random.default_rng(1)
    images = [random.normal((100, 5, 0), (20, 1, 3), (8, 7, 3)) for _ in range(4)]
    raw = np.stack(images).astype(np.float32)
    statistics = Statistics.of(iter(raw))
    mean, deviation = raw.mean((0, 1, 2), np.float64), raw.std((0, 1, 2), np.float64)
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(statistics.deviation, deviation, rtol=1e-9)
    settings = {
        "augmentation__featurewise_centering_switch": True,
        "augmentation__featurewise_normalization_switch": True,
        "preprocessing__normalization_type": "none",
    }
    preprocessing = preprocessing_of((8, 7, 3), statistics, **settings)
    expected = (raw[0] - mean) / (deviation + EPSILON)
    np.testing.assert_allclose(preprocessing.image(images[0]), expected, rtol=1e-4, atol=1e-5)


def test_steps_come_in_the_documented_order() -> None:
    statistics = Statistics((10.0,), (2.0,))
    settings = {
        "augmentation__featurewise_centering_switch": True,
        "augmentation__featurewise_normalization_switch": True,
        CENTER: True,
        SCALE: True,
        "augmentation__zca_epsilon": 1e-3,
        "preprocessing__normalization_type": "global_negpos_x",
        "preprocessing__minimum_image_intensity": [-2],
        "preprocessing__maximum_image_intensity": [2],
    }
    stored = np.random.default_rng(2).normal(12, 3, (8, 7))
    image = (stored - 10) / (2 + EPSILON)
    image -= image.mean()
    image /= image.std() + EPSILON
    u, s, _ = np.linalg.svd(image.T @ image / 8)
    image = image @ u @ np.diag(1 / np.sqrt(s + 1e-3)) @ u.T
    ours = preprocessing_of(SHAPE, statistics, **settings).image(stored)
    np.testing.assert_allclose(ours[..., 0], (image + 2) / 2 - 1, atol=2e-5)


@pytest.mark.parametrize("model", ["FCN", "GAN"])
@pytest.mark.parametrize("kind", ["global_unity_xy", "global_negpos_xy"])
def test_values_come_back_in_the_units_of_the_annotations(kind: str, model: str) -> None:
    settings = _settings(kind, model)
    if model == "GAN":
        settings["layers__generator_layer_list"] = [f"Input:{SHAPE}"]
    preprocessing = preprocessing_of(SHAPE, **settings)
    values = np.random.default_rng(4).uniform(LOW[1], HIGH[1], 5)
    values = values.astype(np.float32)
    normalized = preprocessing.annotation(values)
    bottom = 0 if "unity" in kind else -1
    np.testing.assert_allclose(normalized, bottom + values / 2 * (1 - bottom), rtol=1e-5)
    np.testing.assert_allclose(preprocessing.values(normalized), values, rtol=1e-5)


@pytest.mark.parametrize("kind", ["samplewise_unity_xy", "global_unity_x", "none"])
def test_values_whose_units_are_not_known_stay_as_they_are(kind: str) -> None:
    preprocessing = preprocessing_of(SHAPE, **_settings(kind, "FCN"))
    values = np.float32([0.25, 3])
    assert preprocessing.values(values) is values


def test_the_images_of_a_gan_are_those_that_its_generator_takes() -> None:
    lists = {"layers__generator_layer_list": ["Input:(8, 7, 2)"]}
    preprocessing = preprocessing_of(SHAPE, config_file__model_signal="GAN", **lists)
    assert preprocessing.image(np.zeros((8, 7, 2), np.uint8)).shape == (8, 7, 2)
    assert preprocessing.axes == 3
