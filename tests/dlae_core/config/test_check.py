"""Checking: all mistakes at once, each of them once."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Convolution, Input, Layer
from dlae_core.config import check_config, load_config, read_config, resolve_config
from dlae_core.errors import InvalidConfig
from tests.dlae_core.config.examples import sections, violations, violations_in_full

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
SCHEMA_TEXT = json.loads(
    json.dumps(
        {
            section.name: [field.name for field in section.message_type.fields]
            for section in Config.DESCRIPTOR.fields
        }
    )
)


def _from_message(config: Config) -> list[tuple[str, str]]:
    found = check_config(resolve_config(config)).violations
    return [(row.path, row.reason) for row in found]


def _message() -> Config:
    return read_config(json.dumps(sections())).config


def test_right_configuration_is_right() -> None:
    assert violations() == []


def test_seven_mistakes_are_seven_violations() -> None:
    found = violations(
        config_file__input_shape="(9, 9, 1)",
        paths__train_X="",
        paths__trainy="y.h5",
        loss_function__loss="tverski",
        training_configurations__batch_size="many",
        training_configurations__validation_split=1.5,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Convolutoin 2D:4"],
    )
    assert sorted(found) == [
        ("config_file.input_shape", "SHAPE_MISMATCH"),
        ("layers.serial_layer_list[1]", "UNKNOWN_LAYER"),
        ("loss_function.loss", "NOT_ALLOWED"),
        ("paths.train_X", "MISSING"),
        ("paths.trainy", "UNKNOWN_KEY"),
        ("training_configurations.batch_size", "INVALID_VALUE"),
        ("training_configurations.validation_split", "OUT_OF_RANGE"),
    ]


def test_what_is_not_supported_yet_is_told_beside_mistakes_and_does_not_hide_alone() -> None:
    change = {"preprocessing__categorical_switch": False}
    loaded = load_config(json.dumps(sections(**change)))
    assert [row.path for row in loaded.unsupported] == ["preprocessing.categorical_switch"]
    assert violations(**change, paths__train_X="") == [
        ("paths.train_X", "MISSING"),
        ("preprocessing.categorical_switch", "LOSS_MISMATCH"),
    ]


def test_misspelt_key_is_not_told_again_as_missing() -> None:
    given = sections()
    given["paths"] = {"train_x": "X.h5", "train_y": "y.h5"}
    with pytest.raises(InvalidConfig) as caught:
        load_config(json.dumps(given))
    assert [row.path for row in caught.value.violations] == ["paths.train_x"]


def test_unreadable_section_is_told_once() -> None:
    given = {**sections(), "paths": 3}
    with pytest.raises(InvalidConfig) as caught:
        load_config(json.dumps(given))
    assert [row.path for row in caught.value.violations] == ["paths"]


def test_text_that_is_not_json_is_told_once() -> None:
    with pytest.raises(InvalidConfig, match="line 1, column 2"):
        load_config("{")


def test_mistakes_beside_an_unreadable_layer_are_found_too() -> None:
    layers = ["Input:(8, 8, 1)", "Activation:rely", "Convolution 2D:3:3:2:same:2"]
    assert violations(layers__serial_layer_list=layers) == [
        ("layers.serial_layer_list[1].activation", "NOT_ALLOWED"),
        ("layers.serial_layer_list[2].dilation", "CONTRADICTION"),
    ]


def test_loading_a_message_completes_it() -> None:
    loaded = load_config(_message())
    assert loaded.config.training_configurations.batch_size == 32
    assert list(loaded.config.config_file.input_shape) == [8, 8, 1]


def test_loading_an_empty_message_asks_for_files_and_layers() -> None:
    with pytest.raises(InvalidConfig) as caught:
        load_config(Config())
    assert [row.path for row in caught.value.violations] == [
        "paths.train_X",
        "paths.train_y",
        "layers.serial_layer_list",
        "preprocessing.categorical_switch",
    ]


def test_message_with_values_that_the_schema_forbids_is_refused_once_each() -> None:
    config = _message()
    config.loss_function.loss = "none"
    config.learning_rate_schedule.learning_rate = float("nan")
    config.optimizer.gan_optimizer.beta1 = 2
    config.bbd_options.steps.add(values=[-1])
    assert _from_message(config) == [
        ("loss_function.loss", "NOT_ALLOWED"),
        ("learning_rate_schedule.learning_rate", "INVALID_VALUE"),
        ("optimizer.gan_optimizer.beta1", "OUT_OF_RANGE"),
        ("bbd_options.steps[0]", "OUT_OF_RANGE"),
    ]


def test_message_with_impossible_layers_is_refused() -> None:
    config = _message()
    del config.layers.serial_layer_list[:]
    config.layers.serial_layer_list.extend(
        [
            Layer(),
            Layer(rank=4, convolution=Convolution(filters=2)),
            Layer(rank=2, convolution=Convolution(filters=0, kernel=[1, 2, 3])),
            Layer(input=Input()),
        ]
    )
    assert _from_message(config) == [
        ("layers.serial_layer_list[0]", "MISSING"),
        ("layers.serial_layer_list[1]", "RANK_MISMATCH"),
        ("layers.serial_layer_list[2].filters", "OUT_OF_RANGE"),
        ("layers.serial_layer_list[2].kernel", "WRONG_LENGTH"),
        ("layers.serial_layer_list[3].shape", "MISSING"),
    ]


def test_messages_end_without_a_stop_and_say_what_came() -> None:
    for row in violations_in_full(training_configurations__epochs="0", optimizer__optimizer="x"):
        assert row.message.startswith("expected ")
        assert ", got " in row.message


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_change_of_a_value_raises_anything_else(data: st.DataObject) -> None:
    given_sections: dict[str, Any] = sections()
    for _ in range(data.draw(st.integers(1, 4))):
        section = data.draw(st.sampled_from(sorted(SCHEMA_TEXT)))
        key = data.draw(st.sampled_from(SCHEMA_TEXT[section]) | st.text(max_size=8))
        given_sections.setdefault(section, {})[key] = data.draw(JSON_VALUES)
    _load_or_refuse(json.dumps(given_sections))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 600), st.text(max_size=4))
def test_no_change_of_a_character_raises_anything_else(position: int, inserted: str) -> None:
    text = json.dumps(sections())
    _load_or_refuse(text[:position] + inserted + text[position + 1 :])


@settings(max_examples=50, deadline=None)
@given(JSON_VALUES)
def test_no_json_raises_anything_else(document: object) -> None:
    _load_or_refuse(json.dumps(document))


def _load_or_refuse(text: str) -> None:
    try:
        load_config(text)
    except InvalidConfig as error:
        for row in error.violations:
            f"{row.path}{row.reason}{row.message}".encode()
