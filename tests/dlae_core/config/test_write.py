"""The canonical text: reading it gives the same configuration again."""

import json

import pytest
from hypothesis import given, settings

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config import read_config, resolve_config, write_config
from tests.dlae_core.config.messages import configs
from tests.reference import reference_path


@settings(max_examples=60, deadline=None)
@given(configs())
def test_written_configuration_reads_as_itself(config: Config) -> None:
    reading = read_config(write_config(config))
    assert reading.violations == ()
    assert reading.config == config


@settings(max_examples=30, deadline=None)
@given(configs())
def test_written_complete_configuration_reads_as_itself(config: Config) -> None:
    resolved = resolve_config(config)
    assert read_config(write_config(resolved)).config == resolved


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "unet2d"])
def test_file_of_1_0_survives_conversion(name: str) -> None:
    config = read_config(reference_path("prebuilt_configs", f"{name}.json").read_text()).config
    assert read_config(write_config(config)).config == config


def test_values_are_native_and_keys_spelled_as_in_1_0() -> None:
    text = '{"paths": {"train_X": "é.h5"}, "monitors": {"mse_switch": "True"},'
    text += ' "layers": {"serial_layer_list": ["Max pooling 2D:2"]}}'
    assert json.loads(write_config(read_config(text).config)) == {
        "paths": {"train_X": "é.h5"},
        "monitors": {"mse_switch": True},
        "layers": {"serial_layer_list": ["Max pooling 2D:(2, 2):None"]},
    }


def test_lists_of_texts_with_colons_are_written_as_short_as_they_can_be() -> None:
    text = '{"loss_function": {"additional_losses": ["focal::0.5", {"loss": "soft_dice"}]}}'
    given = read_config(text).config
    assert json.loads(write_config(given))["loss_function"] == {
        "additional_losses": ["focal::0.5", "soft_dice"]
    }
    resolved = resolve_config(given).loss_function
    assert [one.weight for one in resolved.additional_losses] == [1.0, 1.0]
    assert not resolved.additional_losses[0].HasField("parameter2")


def test_sections_and_keys_stand_in_schema_order() -> None:
    written = json.loads(write_config(resolve_config(Config())))
    assert list(written)[:3] == ["config_file", "paths", "preprocessing"]
    assert list(written["paths"])[:4] == ["load_config", "load_checkpoint", "load_model", "train_X"]


def test_layer_without_a_type_cannot_be_written() -> None:
    config = Config()
    config.layers.serial_layer_list.append(Layer())
    with pytest.raises(ValueError, match="no layer of type None"):
        write_config(config)
