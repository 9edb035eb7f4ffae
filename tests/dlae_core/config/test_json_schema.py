"""The JSON Schema allows what is read and refuses what editors can see to be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config, write_config
from dlae_core.config.json_schema import json_schema
from dlae_core.config.legacy import write_legacy_config
from dlae_core.config.schema import sections as schema_sections
from tests.dlae_core.config.examples import sections
from tests.dlae_core.config.messages import configs
from tests.reference import ROOT, reference_path

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
REFERENCE = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*configs/*.json"))
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/config*.json"))


def _paths(document: Any) -> list[str]:
    found = VALIDATOR.iter_errors(document)
    return sorted(".".join(map(str, error.absolute_path)) for error in found)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    json.dumps(SCHEMA)


@pytest.mark.parametrize("file", REFERENCE or ["configs/none.json"])
def test_file_of_1_0_is_allowed(file: str) -> None:
    assert _paths(json.loads(reference_path(file).read_text())) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_example_is_allowed(path: Path) -> None:
    assert _paths(json.loads(path.read_text())) == []


@settings(max_examples=40, deadline=None)
@given(configs())
def test_everything_written_is_allowed(config: Config) -> None:
    assert _paths(json.loads(write_config(config))) == []
    assert _paths(json.loads(write_legacy_config(resolve_config(config)))) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config_file__model_signal", "CNNN"),
        ("paths__trainx", "X.h5"),
        ("preprocessing__categorical_switch", "true"),
        ("preprocessing__categories", 0),
        ("preprocessing__categories", "two"),
        ("augmentation__zoom_range", 1),
        ("augmentation__brightness_range", [0.5]),
        ("augmentation__brightness_range", "low to high"),
        ("optimizer__gan_optimizer", "SGD:0:0:0:0:0:0"),
        ("optimizer__gan_optimizer", {"nesterov": True}),
        ("loss_function__additional_losses", ["focal:1:2:3:4"]),
        ("loss_function__additional_losses", [{"loss": "focall"}]),
        ("loss_function__additional_losses", ["focal"] * 9),
        ("loss_function__additional_losses", 3),
        ("training_configurations__batch_size", 1.5),
        ("bbd_options__variances", [0.1, 0.1, 0.2]),
        ("layers__serial_layer_list", "Input:(8, 8, 1)"),
    ],
)
def test_what_is_refused_in_reading_is_refused_in_the_editor(place: str, value: Any) -> None:
    document = sections(**{place: value})
    assert read_config(json.dumps(document)).violations
    (path,) = _paths(document)
    assert path.startswith(place.partition("__")[0])


def test_unknown_layers_are_refused_by_position() -> None:
    document = sections()
    document["layers"] = {"serial_layer_list": ["Input:(8, 8, 1)", "Convolutoin 2D:4"]}
    assert _paths(document) == ["layers.serial_layer_list.1"]


def test_every_setting_is_described_with_its_default() -> None:
    for name, section in schema_sections().items():
        properties = SCHEMA["properties"][name]["properties"]
        assert section.message is not None
        assert len(properties) == len(section.message.fields)
        assert all(one["description"] for one in properties.values())
    epochs = SCHEMA["properties"]["training_configurations"]["properties"]["epochs"]
    assert epochs["default"] == 500
    assert (epochs["type"], epochs["minimum"]) == (["integer", "string", "null"], 1)
    assert epochs["description"] == "Number of epochs. Unit: epochs."
