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
    "horizontal_flip_switch": True,
    "vertical_flip_switch": True,
    "rounds": 3,
}


@pytest.mark.parametrize(("key", "value"), AUGMENTING.items())
def test_every_augmentation_is_supported(key: str, value: Any) -> None:
    switch = {"augmentation__apply_augmentation_switch": True}
    assert violations(**switch, **{f"augmentation__{key}": value}) == []


@pytest.mark.parametrize(
    ("place", "value", "refused"),
    [
        ("config_file__model_signal", "GAN", "training_configurations.hardware"),
        (
            "training_configurations__jit_compile_switch",
            True,
            "training_configurations.jit_compile_switch",
        ),
    ],
)
def test_what_runs_on_one_device_only_is_refused_on_several(
    place: str, value: Any, refused: str
) -> None:
    several = {"training_configurations__hardware": "multi-gpu"}
    assert (refused, "NOT_SUPPORTED_YET") in violations(**{place: value}, **several)
    assert (refused, "NOT_SUPPORTED_YET") not in violations(**{place: value})
    assert violations(**several) == []


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
