"""The layer language: layer strings to messages and back."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_text import UNSUPPORTED_LAYERS
from dlae_core.errors import InvalidConfig
from dlae_core.layers.language import (
    LayerSyntaxError,
    format_layer,
    layer_name,
    layer_names,
    parse_layer,
)
from tests.dlae_core.config.messages import layers
from tests.reference import reference_path

FULL = "Convolution 2D:64:(3, 3):(1, 1):same:(1, 1):he_normal:None:None:0.001:0.001"


def _violations(text: str) -> list[tuple[str, str]]:
    with pytest.raises(LayerSyntaxError) as caught:
        parse_layer(text)
    return [(row.path, row.reason) for row in caught.value.violations]


def test_layer_string_of_1_0_is_written_as_it_is_read() -> None:
    assert format_layer(parse_layer(FULL)) == FULL


@pytest.mark.parametrize(
    "text",
    [
        "Convolution 2D",
        "Convolution 2D:",
        "Convolution 2D:64:3:1",
        "Convolution 2D: 64 : (3,3) : 1, 1 ",
        "Convolution 2D:None:None:None:None:None:None:None:None:None:None",
        "Convolution 2D::::::::::",
        "Convolution 2D::[3, 3]",
        " Convolution 2D:64",
        f"{FULL}::",
    ],
)
def test_blanks_omissions_and_none_give_the_defaults(text: str) -> None:
    assert format_layer(parse_layer(text)) == FULL


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Leaky ReLU", "Leaky reLU:0.3"),
        ("LeakyReLU:0.2", "Leaky reLU:0.2"),
        ("Batch normalization::", "Batch normalization:0.99:0.001"),
        ("Max pooling 3D:2", "Max pooling 3D:(2, 2, 2):None"),
        ("Max pooling 2D:(2, 2):3", "Max pooling 2D:(2, 2):(3, 3)"),
        ("Flatten", "Flatten"),
        ("Flatten:", "Flatten"),
        ("Reshape:-1", "Reshape:(-1,)"),
        ("Input:(8, 6, 2)", "Input:(8, 6, 2)"),
        ("Outer skip target:add", "Outer skip target:add"),
    ],
)
def test_layer_is_written_with_all_its_fields(text: str, written: str) -> None:
    assert format_layer(parse_layer(text)) == written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("", "UNKNOWN_LAYER")]),
        ("Convolution", [("", "UNKNOWN_LAYER")]),
        ("dense:3", [("", "UNKNOWN_LAYER")]),
        ("Max pooling 2D:2:2:2", [("", "TOO_MANY_FIELDS")]),
        ("Flatten:1", [("", "TOO_MANY_FIELDS")]),
        ("Input", [("shape", "MISSING")]),
        ("Input:None", [("shape", "MISSING")]),
        ("Input:(8, 8)", [("shape", "WRONG_LENGTH")]),
        ("Input:(8, 8", [("shape", "INVALID_VALUE")]),
        ("Dense:ten", [("units", "INVALID_VALUE")]),
        ("Dense:0", [("units", "OUT_OF_RANGE")]),
        ("Dense:99999999999", [("units", "OUT_OF_RANGE")]),
        ("Dropout:1", [("rate", "OUT_OF_RANGE")]),
        ("Dropout:nan", [("rate", "INVALID_VALUE")]),
        ("Activation:rely", [("activation", "NOT_ALLOWED")]),
        ("Convolution 3D:4:(3, 3)", [("kernel", "WRONG_LENGTH")]),
        ("Convolution 2D:4:()", [("kernel", "WRONG_LENGTH")]),
        ("Convolution 2D:4:3:1:full", [("padding", "NOT_ALLOWED")]),
        ("Convolution 2D:4:3:1:same:1:zeros:l3", [("kernel_regularizer", "NOT_ALLOWED")]),
        (
            "Convolution 2D:no:(3, 0):1:full",
            [
                ("filters", "INVALID_VALUE"),
                ("kernel[1]", "OUT_OF_RANGE"),
                ("padding", "NOT_ALLOWED"),
            ],
        ),
        ("Dense:" + "9" * 20_000, [("", "INVALID_VALUE")]),
    ],
)
def test_everything_wrong_with_a_layer_string_is_named(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert _violations(text) == found


def test_unknown_layer_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(LayerSyntaxError, match="did you mean 'Max pooling 2D'"):
        parse_layer("Maxpooling 2D:2")


def test_syntax_error_is_an_invalid_configuration() -> None:
    assert issubclass(LayerSyntaxError, InvalidConfig)


@pytest.mark.parametrize("name", UNSUPPORTED_LAYERS)
def test_layer_to_come_is_refused_by_name(name: str) -> None:
    assert _violations(f"{name}:1:2") == [("", "NOT_SUPPORTED_YET")]


def test_every_layer_of_1_0_is_known() -> None:
    rows = json.loads(reference_path("..", "spec", "layers.json").read_text())
    names = {name for row in rows for name in (row["type"], *row["aliases"])}
    read_aliases = {"Leaky ReLU", "LeakyReLU"}
    assert names == set(UNSUPPORTED_LAYERS) | set(layer_names()) | read_aliases


def test_fields_of_1_0_have_its_order_and_number() -> None:
    rows = json.loads(reference_path("..", "spec", "layers.json").read_text())
    for row in rows:
        if row["type"] in layer_names() and row["type"] != "Input":
            fields = [field["default"] for field in row["fields"]]
            written = format_layer(parse_layer(":".join([row["type"], *fields])))
            assert len(written.split(":")) == 1 + len(fields), row["type"]


@settings(max_examples=300, deadline=None)
@given(layers())
def test_written_layer_reads_as_itself(layer: Layer) -> None:
    assert parse_layer(format_layer(layer)) == layer


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(layer_names()), st.text(max_size=40))
@example("Dense", ":)]}")
@example("Convolution 2D", ":4:((((")
def test_any_text_is_refused_properly_or_survives(name: str, rest: str) -> None:
    try:
        layer = parse_layer(f"{name}{rest}")
    except LayerSyntaxError:
        return
    assert parse_layer(format_layer(layer)) == layer


def test_name_tells_the_rank() -> None:
    assert layer_name(parse_layer("Spatial dropout 3D")) == "Spatial dropout 3D"
    with pytest.raises(ValueError, match="rank 4"):
        layer_name(Layer(rank=4, convolution={}))
