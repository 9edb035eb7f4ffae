"""What is told of settings and layers is complete and about things that exist."""

import pytest

from dlae_core.config.comments import comment_of
from dlae_core.config.descriptions import (
    Description,
    LayerDescription,
    layer_descriptions,
    section_descriptions,
)
from dlae_core.config.layer_text import layer_names, parse_layer
from dlae_core.config.legacy_notes import LEGACY_NOTES
from dlae_core.config.schema import sections

SETTINGS = [row for section in section_descriptions().values() for row in section.settings]
LAYERS = list(layer_descriptions().values())
FIELDS = [field for layer in LAYERS for field in layer.fields]


def _name(row: Description | LayerDescription) -> str:
    return row.path if isinstance(row, Description) else row.name


@pytest.mark.parametrize("row", [*SETTINGS, *FIELDS], ids=_name)
def test_every_setting_and_field_has_a_meaning_in_one_line(row: Description) -> None:
    assert row.meaning.endswith(".")
    assert "\n" not in row.meaning
    assert row.kind


@pytest.mark.parametrize("layer", LAYERS, ids=_name)
def test_every_layer_has_a_meaning_and_an_example(layer: LayerDescription) -> None:
    assert layer.meaning.endswith(".")
    assert parse_layer(layer.example)
    assert layer.example.startswith(layer.names[0])


def test_names_of_all_layers_are_those_of_the_language() -> None:
    assert tuple(name for layer in LAYERS for name in layer.names) == layer_names()


def test_every_spelling_is_read_or_lacks_its_rank() -> None:
    layer = layer_descriptions()["Depthwise separable convolution"]
    assert "Depthwise convolution 3D" in layer.spellings
    assert parse_layer("Depthwise convolution 3D").rank == 3


def test_notes_about_1_0_are_about_settings_and_layers_that_exist() -> None:
    paths = {row.path for row in (*SETTINGS, *FIELDS)} | {layer.name for layer in LAYERS}
    assert set(LEGACY_NOTES) <= paths


def test_facts_are_those_of_the_schema() -> None:
    described = {row.key: row for row in SETTINGS}
    shift, split = described["width_shift"], described["validation_split"]
    assert (shift.limits, shift.unit, shift.default) == ("at least 0", "fraction or px", "0.0")
    assert shift.applies == "apply_augmentation_switch is True"
    assert split.limits == "at least 0 and below 1"
    assert described["variances"].limits == "above 0, 4 items"
    assert described["input_shape"].limits == "at least 1, 3 to 4 items"
    assert described["scales"].limits == "above 0, at least 2 items"
    assert [part.key for part in described["gan_optimizer"].parts][:2] == ["optimizer", "beta1"]
    losses = described["additional_losses"]
    assert losses.kind == "texts with colons, in a list: `loss:weight:parameter1:parameter2`"
    assert [part.key for part in losses.parts][:2] == ["loss", "weight"]
    kernel = layer_descriptions()["Convolution"].fields[1]
    assert (kernel.path, kernel.default, kernel.unit) == ("Convolution.kernel", "3", "px")


def test_what_has_no_comment_has_none() -> None:
    message = sections()["paths"].message
    assert message is not None
    assert comment_of(message, "nothing") == ""
