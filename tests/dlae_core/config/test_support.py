"""Settings that nothing acts on yet: refused where they would matter, and only there."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import violations

AUGMENTING = {
    "width_shift": 0.1,
    "height_shift": 3,
    "rotation_range": 10,
    "shear_range": 5,
    "zoom_range": 0.1,
    "channel_shift_range": 1,
    "brightness_range": "(0.8, 1.2)",
    "zca_epsilon": 1e-6,
}


@pytest.mark.parametrize(("key", "value"), AUGMENTING.items())
def test_augmentation_to_come_is_refused_only_while_augmenting(key: str, value: Any) -> None:
    change = {f"augmentation__{key}": value}
    assert violations(**change) == []
    assert violations(**change, augmentation__apply_augmentation_switch=True) == [
        (f"augmentation.{key}", "NOT_SUPPORTED_YET")
    ]


def test_flips_and_rounds_are_supported() -> None:
    changes = {
        "augmentation__apply_augmentation_switch": True,
        "augmentation__horizontal_flip_switch": True,
        "augmentation__vertical_flip_switch": True,
        "augmentation__brightness_range": [1, 1],
        "augmentation__rounds": 3,
    }
    assert violations(**changes) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config_file__type_signal", "Inference"),
        ("config_file__type_signal", "Train from Checkpoint"),
        ("config_file__model_signal", "BBD"),
        ("training_configurations__hardware", "multi-gpu"),
        ("training_configurations__number_of_gpus", 2),
        ("save_configurations__save_checkpoints_switch", True),
        ("save_configurations__save_tensorboard_switch", True),
    ],
)
def test_setting_to_come_is_refused(place: str, value: Any) -> None:
    assert (place.replace("__", "."), "NOT_SUPPORTED_YET") in violations(**{place: value})


def test_class_weights_are_supported_for_crossentropy_only() -> None:
    switch = {"preprocessing__weight_loss_switch": True}
    assert violations(**switch) == []
    assert violations(**switch, loss_function__loss="focal") == [
        ("preprocessing.weight_loss_switch", "NOT_SUPPORTED_YET")
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("training_configurations__hardware", "cpu"),
        ("save_configurations__save_tensorboard_frequency", 5),
        ("learning_rate_schedule__step_decay_switch", True),
        ("learning_rate_schedule__learning_rate_decay_factor", 0.1),
        ("optimizer__optimizer", "NAdam"),
        ("preprocessing__repeat_X_switch", True),
        ("augmentation__featurewise_centering_switch", True),
        ("preprocessing__normalization_type", "none"),
    ],
)
def test_setting_that_acts_is_accepted(place: str, value: Any) -> None:
    assert violations(**{place: value}) == []
