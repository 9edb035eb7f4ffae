"""The schema that the descriptors give."""

import json

import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_text import field_violations
from dlae_core.config.literals import default_of
from dlae_core.config.resolve import resolve_config
from dlae_core.config.schema import sections, settings, settings_of, value_of
from tests.reference import reference_path

# Choices that DLAE 1.0 does not have; they come last.
ADDED = {"loss": ["jaccard_set"]}
PLAIN = [
    (name, row)
    for name, section in sections().items()
    for row in settings(section.message).values()
    if row.kind not in ("parts", "parts_list", "layer")
]


def test_every_key_of_1_0_is_in_the_schema() -> None:
    text = reference_path("..", "spec", "config_keys.json").read_text()
    known = {(name, key) for name, row in sections().items() for key in settings(row.message)}
    keys = {(key["section"], key["key"]) for key in json.loads(text)}
    assert len(keys) == 102
    assert keys <= known


def test_choices_are_those_of_1_0_and_a_few_more() -> None:
    text = reference_path("..", "spec", "config_keys.json").read_text()
    for key in json.loads(text):
        row = settings(sections()[key["section"]].message)[key["key"]]
        if key["type"] == "enum":
            added = ADDED.get(key["key"], [])
            assert list(row.choices) == [*key["allowed"], *added], key["key"]


@pytest.mark.parametrize(("section", "row"), PLAIN, ids=lambda value: getattr(value, "key", value))
def test_default_can_be_read(section: str, row: object) -> None:
    default_of(row)


def test_defaults_are_allowed_by_their_own_ranges() -> None:
    resolved = resolve_config(Config())
    for section in sections().values():
        message = getattr(resolved, section.name)
        rows = settings_of(message).values()
        if not any(row.kind in ("parts", "layer") for row in rows):
            assert field_violations(message, "") == []


def test_value_of_an_empty_list_is_none() -> None:
    config = Config()
    row = settings_of(config.bbd_options)["steps"]
    assert value_of(config.bbd_options, row) is None
