"""Rules about detectors: hooks, and options with one item per hook."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import violations, warnings

SERIAL = "layers.serial_layer_list"
HOOK = "Hook connection source"
TWO_HOOKS = ["Input:(8, 8, 1)", "Convolution 2D:3", HOOK, "Convolution 2D:3", HOOK]
PER_HOOK = "per predictor layer"


def _detector(**changes: Any) -> dict[str, Any]:
    return {
        "config_file__model_signal": "BBD",
        "loss_function__loss": "ssd",
        "preprocessing__categorical_switch": False,
        "layers__serial_layer_list": TWO_HOOKS,
        **{key if "__" in key else f"bbd_options__{key}": value for key, value in changes.items()},
    }


def _layers(*texts: str) -> dict[str, Any]:
    return _detector(layers__serial_layer_list=list(texts))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (_detector(), []),
        (_detector(scaling_type=PER_HOOK, scales=[0.1, 0.2, 0.3]), []),
        (
            _detector(scaling_type=PER_HOOK, scales=[0.1, 0.2]),
            [("bbd_options.scales", "WRONG_LENGTH")],
        ),
        (_detector(aspect_ratios_type=PER_HOOK, aspect_ratios=[[1], [1, 2]]), []),
        (
            _detector(aspect_ratios_type=PER_HOOK, aspect_ratios=[[1], [1, 2], [1]]),
            [("bbd_options.aspect_ratios", "WRONG_LENGTH")],
        ),
        (
            _detector(aspect_ratios=[[1], [1, 2]]),
            [("bbd_options.aspect_ratios", "WRONG_LENGTH")],
        ),
        (_detector(steps=[4, [4, 8]], offsets=[0.5, [0, 1]]), []),
        (_detector(steps=[4]), [("bbd_options.steps", "WRONG_LENGTH")]),
        (_detector(offsets=[1, 2, 3]), [("bbd_options.offsets", "WRONG_LENGTH")]),
        (_detector(steps=[4, [4, 8, 8]]), [("bbd_options.steps[1]", "WRONG_LENGTH")]),
        (_layers("Input:(8, 8, 1)", "Convolution 2D:3"), [(SERIAL, "NO_HOOKS")]),
        (_layers("Input:(64, 64, 1)", "VGG16:False:none::False:True"), []),
        (
            _detector(
                layers__serial_layer_list=["Input:(8, 8, 1)", "VGG16:False:none::False:True"],
                steps=[1, 2],
            ),
            [("bbd_options.steps", "WRONG_LENGTH")],
        ),
        (
            _detector(preprocessing__image_context="3D"),
            [("preprocessing.image_context", "RANK_MISMATCH")],
        ),
        (
            _layers("Input:(8, 8, 4, 1)", HOOK),
            [("preprocessing.image_context", "RANK_MISMATCH")],
        ),
    ],
)
def test_detector_has_what_its_hooks_need(
    changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert violations(**changes) == found


def test_list_with_an_unreadable_layer_has_an_unknown_number_of_hooks() -> None:
    changes = {**_layers("Input:(8, 8, 1)", "Conv", HOOK), "bbd_options__steps": [4, 4]}
    assert violations(**changes) == [(f"{SERIAL}[1]", "UNKNOWN_LAYER")]


def test_options_of_detectors_are_left_alone_where_there_is_none() -> None:
    assert violations(bbd_options__steps=[[1, 2, 3]], bbd_options__scaling_type=PER_HOOK) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (_detector(), []),
        (_detector(scales=[0.9, 0.1, 0.5]), [("bbd_options.scales", "NOT_USED")]),
        (
            _detector(two_boxes_for_AR1_switch=True, aspect_ratios=[0.5, 2]),
            [("bbd_options.two_boxes_for_AR1_switch", "NO_EFFECT")],
        ),
        (_detector(two_boxes_for_AR1_switch=True, aspect_ratios=[0.5, 1]), []),
        (
            _detector(negative_iou_limit=0.6),
            [("bbd_options.negative_iou_limit", "NO_EFFECT")],
        ),
        (_layers(*TWO_HOOKS, "Dense:3", "Flatten"), [(f"{SERIAL}[5]", "NO_EFFECT")]),
        (
            _layers("Input:(64, 64, 1)", HOOK, "VGG16:False:none::False:True"),
            [(f"{SERIAL}[2].hooks", "SOURCES_REPLACED")],
        ),
    ],
)
def test_options_and_layers_without_effect_are_warned_of(
    changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert warnings(**changes) == found


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("preprocessing__categorical_switch", True),
        ("monitors__mse_switch", True),
        ("monitors__mae_switch", True),
        ("augmentation__horizontal_flip_switch", True),
        ("augmentation__rotation_range", 10),
        ("augmentation__channel_shift_range", 5),
    ],
)
def test_settings_that_do_not_act_on_detectors_are_warned_of(place: str, value: Any) -> None:
    varied = {"augmentation__apply_augmentation_switch": True}
    expected = [(place.replace("__", "."), "NO_EFFECT")]
    assert warnings(**_detector(**varied, **{place: value})) == expected
    found = warnings(**_detector(**{place: value}))
    assert found == ([] if place.startswith("augmentation") else expected)


def test_examples_of_detectors_are_drawn() -> None:
    assert warnings(**_detector(save_configurations__example_images=2)) == []
