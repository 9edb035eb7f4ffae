"""The layer language: layer strings to messages and back."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlae.v1.layers_pb2 import Layer
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
        ("Zero padding 2D:2", "Zero padding 2D:((2, 2), (2, 2))"),
        ("Zero padding 2D:(1, 2)", "Zero padding 2D:((1, 1), (2, 2))"),
        ("Zero padding 3D", "Zero padding 3D:((1, 1), (1, 1), (1, 1))"),
        ("Cropping 2D:((1, 0), (0, 2))", "Cropping 2D:((1, 0), (0, 2))"),
        ("Permute:(2, 1, 3)", "Permute:(2, 1, 3)"),
        (
            "ResNet50:False:none:(512, 512, 1):True:None",
            "ResNet50:False:none:(512, 512, 1):True:False",
        ),
        ("VGG16:::(64, 64, 1)::", "VGG16:False:none:(64, 64, 1):False:False"),
        ("VGG16:::::True:True", "VGG16:False:none::False:True:True"),
        (r"VGG16::C:\weights.h5:", r"VGG16:False:'C:\\weights.h5'::False:False"),
        ("VGG16::/data/O'Neil.h5", 'VGG16:False:"/data/O\'Neil.h5"::False:False'),
        ("VGG16::'a:b'", "VGG16:False:'a:b'::False:False"),
    ],
)
def test_layer_is_written_with_all_its_fields(text: str, written: str) -> None:
    assert format_layer(parse_layer(text)) == written


@pytest.mark.parametrize(
    ("dilation", "written"),
    [
        ("he_uniform:l1", "he_uniform:l1"),  # as DLAE 1.0 writes it: no dilation
        ("(1, 1):he_uniform:l1", "he_uniform:l1"),  # as its manual lists it
        ("(2, 2):he_uniform:l1", "(2, 2):he_uniform:l1"),
        (":he_uniform:l1", "he_uniform:l1"),
        ("None:he_uniform:l1", "he_uniform:l1"),
    ],
)
def test_depthwise_convolutions_are_read_with_and_without_dilation(
    dilation: str, written: str
) -> None:
    start, end = "Depthwise separable convolution 2D:8:(3, 3):(1, 1):same", "None:0.1:0.2"
    assert format_layer(parse_layer(f"{start}:{dilation}:{end}")) == f"{start}:{written}:{end}"


def test_nine_empty_fields_of_a_depthwise_convolution_are_all_defaults() -> None:
    for count in range(12):
        text = "Depthwise convolution 3D" + ":" * count
        assert format_layer(parse_layer(text)).endswith(
            "(1, 1, 1):same:he_normal:None:None:0.001:0.001"
        )


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
        ("Zero padding 2D:(1, 2, 3)", [("padding", "WRONG_LENGTH")]),
        ("Zero padding 3D:((1, 1), (1, 1))", [("padding", "WRONG_LENGTH")]),
        ("Cropping 2D:((1, 2, 3), (1, 1))", [("cropping[0]", "WRONG_LENGTH")]),
        ("Cropping 2D:((1, 0.5), 1)", [("cropping[0]", "INVALID_VALUE")]),
        ("Cropping 2D:-1", [("cropping[0]", "OUT_OF_RANGE"), ("cropping[1]", "OUT_OF_RANGE")]),
        ("ResNet50:yes", [("include_top", "INVALID_VALUE")]),
        ("ResNet50:False:none:(512, 512)", [("input_shape", "WRONG_LENGTH")]),
        ("ResNet51", [("", "UNKNOWN_LAYER")]),
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


def test_every_layer_of_1_0_is_known() -> None:
    rows = json.loads(reference_path("..", "spec", "layers.json").read_text())
    assert {row["type"] for row in rows} == set(layer_names())
    for row in rows:
        fields = [field["default"] for field in row["fields"]]
        written = format_layer(parse_layer(":".join([row["type"], *fields])))
        for alias in row["aliases"]:
            assert format_layer(parse_layer(":".join([alias, *fields]))) == written


def test_fields_of_1_0_have_its_order_and_number() -> None:
    rows = json.loads(reference_path("..", "spec", "layers.json").read_text())
    for row in rows:
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
