"""A small configuration that is right, and ways to make it wrong."""

import json
from typing import Any

from dlae_core.config import load_config
from dlae_core.errors import InvalidConfig, Violation

LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:4:(3, 3)",
    "Activation:relu",
    "Outer skip source",
    "Max pooling 2D:(2, 2)",
    "Upsample 2D:(2, 2)",
    "Outer skip target",
    "Convolution 2D:3:(1, 1)",
    "Activation:softmax",
]


def sections(**changes: Any) -> dict[str, dict[str, Any]]:
    """Returns the sections of a configuration that is right.

    Args:
        changes: Values by `section__key`, such as `optimizer__optimizer="SGD"`.
    """
    given: dict[str, dict[str, Any]] = {
        "config_file": {"model_signal": "FCN"},
        "paths": {"train_X": "X.h5", "train_y": "y.h5"},
        "preprocessing": {"categorical_switch": True, "categories": 3},
        "training_configurations": {"validation_split": 0.25},
        "layers": {"serial_layer_list": LAYERS},
    }
    for place, value in changes.items():
        section, _, key = place.partition("__")
        given.setdefault(section, {})[key] = value
    return given


def violations(**changes: Any) -> list[tuple[str, str]]:
    """Returns path and reason of everything wrong with a changed configuration."""
    return [(row.path, row.reason) for row in violations_in_full(**changes)]


def violations_in_full(**changes: Any) -> tuple[Violation, ...]:
    """Returns everything wrong with a changed configuration, what is not supported yet too."""
    try:
        return load_config(json.dumps(sections(**changes))).unsupported
    except InvalidConfig as error:
        return error.violations


def warnings(**changes: Any) -> list[tuple[str, str]]:
    """Returns path and reason of all warnings about a changed configuration."""
    loaded = load_config(json.dumps(sections(**changes)))
    return [(row.path, row.reason) for row in loaded.warnings]
