"""Rules about how a model predicts."""

import json
from typing import Any

import pytest

from dlae_core.config import load_config, write_config
from tests.dlae_core.config.examples import sections, violations, warnings


@pytest.mark.parametrize(
    ("flips", "reasons"),
    [([0], []), ([1, 0], []), ([2], ["OUT_OF_RANGE"]), ([1, 1], ["OUT_OF_RANGE"]), (None, [])],
)
def test_axes_to_flip_are_axes_of_the_images(flips: Any, reasons: list[str]) -> None:
    found = violations(prediction__flips=flips)
    assert found == [("prediction.flips", reason) for reason in reasons]


def test_volumes_can_be_flipped_along_their_slices() -> None:
    layers = ["Input:(8, 8, 4, 1)", "Convolution 3D:3:(1, 1, 1)", "Activation:softmax"]
    changes = {"preprocessing__image_context": "3D", "layers__serial_layer_list": layers}
    assert violations(prediction__flips=[2], **changes) == []
    assert violations(prediction__flips=[3], **changes) == [("prediction.flips[0]", "OUT_OF_RANGE")]


def test_mirror_images_of_detectors_are_refused() -> None:
    found = violations(config_file__model_signal="BBD", prediction__flips=[1])
    assert ("prediction.flips", "CONTRADICTION") in found


def test_the_settings_are_kept_with_the_configuration() -> None:
    text = json.dumps(sections(prediction__threshold=0.25, prediction__flips="(0, 1)"))
    written = json.loads(write_config(load_config(text).config))["prediction"]
    assert written["threshold"] == 0.25
    assert written["flips"] == [0, 1]
    assert written["tile_overlap"] == 0.5
    assert "images_at_once" not in written


def test_settings_for_labels_are_warned_of_where_there_are_none() -> None:
    labels = {"prediction__threshold": 0.5, "prediction__fill_holes_switch": True}
    assert warnings(**labels) == []
    regression = {
        "loss_function__loss": "mean_squared_error",
        "preprocessing__categorical_switch": False,
    }
    assert warnings(**labels, **regression) == [
        ("prediction.threshold", "NO_EFFECT"),
        ("prediction.fill_holes_switch", "NO_EFFECT"),
    ]
    layers = ["Input:(8, 8, 1)", "Flatten", "Dense:3", "Activation:softmax"]
    whole = {"config_file__model_signal": "CNN", "layers__serial_layer_list": layers}
    assert warnings(**labels, **whole) == [("prediction.fill_holes_switch", "NO_EFFECT")]
