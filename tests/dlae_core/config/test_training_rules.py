"""Rules about losses, optimizer, schedule and metrics, each broken on its own."""

from typing import Any

import pytest

from dlae_core.config.training_rules import OF_CLASSES
from tests.dlae_core.config.examples import violations, warnings

ADDED = "loss_function__additional_losses"
WEIGHTED = {"preprocessing__weight_loss_switch": True}
VECTOR = ["Input:(8, 8, 1)", "Flatten", "Dense:3", "Activation:softmax"]
CNN = {"config_file__model_signal": "CNN", "layers__serial_layer_list": VECTOR}
REGRESSION = {
    **CNN,
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
    "preprocessing__annotation_type": "values",
    "layers__serial_layer_list": [*VECTOR[:2], "Dense:4"],
}
POINTS = {**REGRESSION, "preprocessing__annotation_type": "coordinates"}


@pytest.mark.parametrize(
    "changes",
    [
        {ADDED: ["soft_dice:0.5", "tversky:1:0.3:0.7"]},
        {ADDED: ["mean_squared_error"]},
        {**REGRESSION, ADDED: ["mean_absolute_error:2"]},
        WEIGHTED,
        {**WEIGHTED, "loss_function__loss": "focal"},
        {**WEIGHTED, "loss_function__loss": "soft_dice", ADDED: ["categorical_crossentropy"]},
        {"optimizer__gradient_clip_norm": 1},
        {"optimizer__gradient_clip_norm": "None", "optimizer__gradient_clip_value": 1},
        {path.replace(".", "__"): True for path in OF_CLASSES},
        {**POINTS, "monitors__coordinate_error_switch": True},
        {"loss_function__loss": "jaccard_set"},
    ],
)
def test_what_fits_together_is_right(changes: dict[str, Any]) -> None:
    assert violations(**changes) == []


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({**REGRESSION, ADDED: ["mean_absolute_error", "focal"]}, "[1].loss", "LOSS_MISMATCH"),
        ({**CNN, ADDED: ["tversky"]}, "[0].loss", "LOSS_MISMATCH"),
        ({ADDED: ["focall"]}, "[0].loss", "NOT_ALLOWED"),
        ({ADDED: ["sparse_categorical_crossentropy"]}, "[0].loss", "NOT_ALLOWED"),
        ({ADDED: [":2"]}, "[0].loss", "MISSING"),
        ({ADDED: ["focal:0"]}, "[0].weight", "OUT_OF_RANGE"),
        ({ADDED: ["focal:1:2:3:4"]}, "[0]", "TOO_MANY_FIELDS"),
        ({ADDED: ["focal"] * 9}, "", "WRONG_LENGTH"),
        ({ADDED: [3]}, "[0]", "INVALID_VALUE"),
    ],
)
def test_wrong_losses_are_named_by_their_position(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    assert violations(**changes) == [(f"loss_function.additional_losses{path}", reason)]


@pytest.mark.parametrize("loss", ["soft_dice", "tversky", "jaccard_set"])
def test_class_weights_need_a_loss_that_compares_pixel_by_pixel(loss: str) -> None:
    assert violations(**WEIGHTED, loss_function__loss=loss) == [
        ("preprocessing.weight_loss_switch", "LOSS_MISMATCH")
    ]


def test_losses_of_gans_and_detectors_stand_alone() -> None:
    changes = {
        "config_file__model_signal": "BBD",
        "loss_function__loss": "ssd",
        "layers__serial_layer_list": ["Input:(8, 8, 1)", "Hook connection source"],
        ADDED: ["focal", "soft_dice"],
    }
    assert ("loss_function.additional_losses", "LOSS_MISMATCH") in violations(**changes)


def test_gradients_are_limited_in_one_way() -> None:
    changes = {"optimizer__gradient_clip_norm": 1, "optimizer__gradient_clip_value": 1}
    assert violations(**changes) == [("optimizer.gradient_clip_value", "CONTRADICTION")]


@pytest.mark.parametrize("path", OF_CLASSES)
def test_metrics_of_classes_need_classes(path: str) -> None:
    found = violations(**REGRESSION, **{path.replace(".", "__"): True})
    assert found == [(path, "LOSS_MISMATCH")]


@pytest.mark.parametrize("changes", [{}, CNN, REGRESSION])
def test_the_error_of_coordinates_needs_coordinates(changes: dict[str, Any]) -> None:
    found = violations(**changes, monitors__coordinate_error_switch=True)
    assert found == [("monitors.coordinate_error_switch", "CONTRADICTION")]


def test_a_warm_up_in_which_training_ends_is_warned_of() -> None:
    warm_up, epochs = "learning_rate_schedule__warm_up_length", "training_configurations__epochs"
    unit = {"learning_rate_schedule__warm_up_unit": "updates"}
    assert warnings(**{warm_up: 5, epochs: 6}) == []
    assert warnings(**{warm_up: 5, epochs: 5}) == [
        ("learning_rate_schedule.warm_up_length", "LONG_WARM_UP")
    ]
    assert warnings(**{warm_up: 500, epochs: 5, **unit}) == []
