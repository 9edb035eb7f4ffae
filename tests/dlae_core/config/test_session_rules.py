"""Rules about files and hardware of a session."""

import json
from typing import Any

import pytest

from dlae_core.config import load_config
from tests.dlae_core.config.examples import violations, warnings

NO_FILES = {"paths__train_X": "", "paths__train_y": ""}
VALIDATION = {"paths__validation_X": "v.h5", "paths__validation_y": "w.h5"}


@pytest.mark.parametrize(
    ("session", "changes", "found"),
    [
        ("Train from Checkpoint", {}, [("paths.load_checkpoint", "MISSING")]),
        (
            "Train from Checkpoint",
            {"paths__load_checkpoint": "c.h5", "paths__train_y": ""},
            [("paths.train_y", "MISSING")],
        ),
        ("Inference", {}, [("paths.load_model", "MISSING"), ("paths.test_X", "MISSING")]),
        ("Inference", {**NO_FILES, "paths__load_model": "m.h5", "paths__test_X": "t.h5"}, []),
        (
            "Inference",
            {
                "paths__load_model": "m.h5",
                "paths__test_X": "t.h5",
                "layers__serial_layer_list": [],
            },
            [],
        ),
    ],
)
def test_session_has_the_files_it_needs(
    session: str, changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert violations(config_file__type_signal=session, **changes) == found


def test_a_session_of_inference_needs_no_more_than_its_files() -> None:
    files = {"load_model": "tissue", "test_X": "t.h5"}
    text = json.dumps({"config_file": {"type_signal": "Inference"}, "paths": files})
    loaded = load_config(text)
    assert (loaded.warnings, loaded.unsupported) == ((), ())


def test_files_of_other_sessions_are_warned_of() -> None:
    files = {f"paths__{key}": "f.h5" for key in ("load_checkpoint", "load_model", "test_X")}
    resumed = warnings(config_file__type_signal="Train from Checkpoint", **files)
    assert resumed == [("paths.load_model", "NOT_USED"), ("paths.test_X", "NOT_USED")]
    applied = warnings(config_file__type_signal="Inference", **files)
    assert applied == [("paths.load_checkpoint", "NOT_USED")]


@pytest.mark.parametrize("hardware", ["gpu", "cpu"])
def test_several_gpus_need_hardware_for_several(hardware: str) -> None:
    changes = {
        "training_configurations__number_of_gpus": 2,
        "training_configurations__hardware": hardware,
    }
    path = "training_configurations.number_of_gpus"
    assert violations(**changes) == [(path, "CONTRADICTION")]


def test_several_gpus_are_for_hardware_for_several() -> None:
    changes = {
        "training_configurations__number_of_gpus": 2,
        "training_configurations__hardware": "multi-gpu",
    }
    assert violations(**changes) == []


@pytest.mark.parametrize("name", ["model", "csv", "checkpoints", "tensorboard"])
def test_what_is_to_be_saved_needs_a_place(name: str) -> None:
    found = violations(**{f"save_configurations__save_{name}_switch": True})
    assert (f"save_configurations.save_{name}_path", "MISSING") in found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("best.keras", []),
        ("{epoch:02d}-{val_loss:.3f}.keras", []),
        ("{0.__class__}", [("save_configurations.save_checkpoints_path", "INVALID_VALUE")]),
        ("{epoch", [("save_configurations.save_checkpoints_path", "INVALID_VALUE")]),
    ],
)
def test_names_of_checkpoints_hold_epoch_and_metrics_only(
    path: str, found: list[tuple[str, str]]
) -> None:
    changes = {
        "save_configurations__save_checkpoints_switch": True,
        "save_configurations__save_checkpoints_path": path,
    }
    assert violations(**changes) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("save_configurations__bfloat16_switch", True),
        ("save_configurations__int8_switch", True),
        ("prediction__precision", "int8"),
    ],
)
def test_a_precision_that_nothing_can_judge_is_told_before_the_training(
    key: str, value: bool | str
) -> None:
    told = [(key.replace("__", "."), "NO_EFFECT")]
    none = {"training_configurations__validation_split": 0}
    assert warnings(**{key: value}, **none) == told
    assert warnings(**{key: value}) == []
    assert warnings(**{key: value}, **none, **VALIDATION) == []
