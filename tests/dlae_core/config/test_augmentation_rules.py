"""Rules about augmentation: each with its absence."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import violations, warnings

REGRESSION = ["Input:(8, 8, 1)", "Flatten", "Dense:4"]
VECTORS: dict[str, Any] = {
    "config_file__model_signal": "CNN",
    "layers__serial_layer_list": REGRESSION,
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
}
AUGMENTING = {"augmentation__apply_augmentation_switch": True}


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("brightness_range", [0.8, 1.2], [1.2, 0.8]),
        ("bbd_translation_range", [0, 0.1], [0.2, 0.1]),
        ("bbd_zoom_in_range", [1, 1], [3, 2]),
        ("bbd_zoom_out_range", [0.5, 1], [1, 0.5]),
    ],
)
def test_ranges_rise(key: str, right: list[float], wrong: list[float]) -> None:
    assert violations(**{f"augmentation__{key}": right}) == []
    assert violations(**{f"augmentation__{key}": wrong}) == [
        (f"augmentation.{key}", "CONTRADICTION")
    ]


def test_coordinates_are_whole_points() -> None:
    coordinates = VECTORS | {"preprocessing__annotation_type": "coordinates"}
    assert violations(**coordinates) == []
    coordinates["layers__serial_layer_list"] = [*REGRESSION[:2], "Dense:3"]
    assert violations(**coordinates) == [("preprocessing.annotation_type", "OUTPUT_SHAPE")]
    assert violations(**coordinates | {"preprocessing__annotation_type": "values"}) == []


@pytest.mark.parametrize("key", ["horizontal_flip_switch", "rotation_range"])
def test_geometry_asks_what_the_numbers_of_a_regression_are(key: str) -> None:
    moving = VECTORS | {f"augmentation__{key}": True if "switch" in key else 10}
    asked = ("preprocessing.annotation_type", "NOT_SET")
    assert asked not in warnings(**moving)
    assert asked in warnings(**moving, **AUGMENTING)
    assert asked not in warnings(**moving, **AUGMENTING, preprocessing__annotation_type="values")
    assert asked not in warnings(**AUGMENTING, augmentation__horizontal_flip_switch=True)


def test_a_brightness_that_normalization_undoes_is_told() -> None:
    changes = {"augmentation__brightness_range": [0.8, 1.2]}
    told = [("augmentation.brightness_range", "NO_EFFECT")]
    assert warnings(**changes) == []
    assert warnings(**changes, **AUGMENTING) == told
    scaled = {"preprocessing__normalization_type": "global_unity_x"}
    assert warnings(**changes, **AUGMENTING, **scaled) == []
