"""DLAE 1.0's own form: what it wrote is written again, and what is written is read again."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from dlae.v1.config_pb2 import Config
from dlae_core.config import complete_config, read_config, resolve_config
from dlae_core.config.legacy import NEVER_BUILT, legacy_losses, write_legacy_config
from dlae_core.config.prebuilt import prebuilt_names
from dlae_core.config.schema import sections as schema_sections
from dlae_core.config.schema import settings_of
from tests.dlae_core.config.examples import sections
from tests.dlae_core.config.messages import configs
from tests.reference import ROOT, reference_path

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*configs/*.json"))
# What shipped files leave empty or write in a second way, and how it is written.
RESPELLED = {("repeat_X_quantity", ""): "3", ("parameter1", "3"): "3.0"}


def _complete(text: str) -> Config:
    return complete_config(read_config(text).config).config


def _written(**changes: Any) -> Any:
    return json.loads(write_legacy_config(_complete(json.dumps(sections(**changes)))))


def _lost(**changes: Any) -> list[str]:
    return [row.path for row in legacy_losses(_complete(json.dumps(sections(**changes))))]


@pytest.mark.parametrize("file", FILES or ["configs/none.json"])
def test_file_of_1_0_is_written_as_1_0_wrote_it(file: str) -> None:
    text = reference_path(file).read_text()
    given, config = json.loads(text), _complete(text)
    written = json.loads(write_legacy_config(config))
    assert legacy_losses(config) == []
    assert set(written) == set(given)
    for name, section in given.items():
        assert set(written[name]) == set(section)
        for key, value in section.items():
            text = value if isinstance(value, list) else RESPELLED.get((key, value), value)
            assert written[name][key] == text
    assert _complete(write_legacy_config(config)) == config


def test_keys_are_the_102_of_1_0_in_its_order() -> None:
    rows = json.loads(reference_path("..", "spec", "config_keys.json").read_text())
    written = _written()
    keys = [(name, key) for name, section in written.items() for key in section]
    assert keys == [(row["section"], row["key"]) for row in rows]


def test_every_value_but_layers_is_a_text() -> None:
    written = _written()
    layers = written.pop("layers")
    assert all(isinstance(value, str) for section in written.values() for value in section.values())
    assert all(isinstance(item, str) for items in layers.values() for item in items)


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ("preprocessing__categorical_switch", True, "True"),
        ("preprocessing__minimum_image_intensity", [0, -1], "0.0, -1.0"),
        ("augmentation__rotation_range", 15, "15"),
        ("augmentation__zca_epsilon", None, "None"),
        ("augmentation__brightness_range", [0.8, 1.2], "(0.8, 1.2)"),
        ("learning_rate_schedule__learning_rate", 1e-5, "1e-05"),
        ("optimizer__gan_optimizer", {"optimizer": "SGD"}, "SGD:0.9:0.999:0.9:0.0:None"),
        ("bbd_options__scales", [0.1, 0.5, 0.9], "0.1, 0.5, 0.9"),
        ("bbd_options__aspect_ratios", [[1, 2]], "(1.0, 2.0)"),
        ("bbd_options__aspect_ratios", [[1, 2], [3]], "((1.0, 2.0), (3.0,))"),
        ("bbd_options__steps", [8, [16, 32]], "(8, (16, 32))"),
        ("bbd_options__offsets", [0.5], "(0.5,)"),
        ("loss_function__parameter1", None, ""),
    ],
)
def test_values_are_spelled_as_1_0_reads_them(place: str, value: Any, text: str) -> None:
    section, _, key = place.partition("__")
    assert _written(**{place: value})[section][key] == text


def test_names_outside_ascii_survive_any_encoding() -> None:
    text = write_legacy_config(_complete(json.dumps(sections(paths__train_X="é.h5"))))
    assert text.isascii()
    assert _complete(text).paths.train_x == "é.h5"


def _without_what_1_0_lacks(config: Config) -> Config:
    written = json.loads(write_legacy_config(config))
    bare = Config()
    bare.CopyFrom(config)
    for name, section in schema_sections().items():
        message = getattr(bare, section.name)
        for key in set(settings_of(message)) - set(written.get(name, ())):
            message.ClearField(settings_of(message)[key].name)
    lists = bare.layers
    for layers in (lists.serial_layer_list, lists.generator_layer_list):
        for layer in [*layers, *lists.discriminator_layer_list]:
            if layer.HasField("backbone"):
                layer.backbone.input_scaling = False
            if layer.HasField("depthwise_separable_convolution"):
                layer.depthwise_separable_convolution.dilation[:] = [1] * layer.rank
    return resolve_config(bare)


@settings(max_examples=60, deadline=None)
@given(configs())
def test_written_configuration_reads_as_itself_but_for_what_is_told(config: Config) -> None:
    resolved = resolve_config(config)
    reading = read_config(write_legacy_config(resolved))
    assert reading.violations == ()
    assert resolve_config(reading.config) == _without_what_1_0_lacks(resolved)
    if not any(row.message.startswith("left out") for row in legacy_losses(resolved)):
        assert resolve_config(reading.config) == resolved


@pytest.mark.parametrize("name", prebuilt_names())
def test_prebuilt_network_can_be_given_to_1_0(name: str) -> None:
    config = _complete(json.dumps({"config_file": {"prebuilt": name}}))
    assert legacy_losses(config) == []
    assert _complete(write_legacy_config(config)) == config


def test_what_1_0_cannot_read_is_told() -> None:
    backbone = "ResNet50:False:'a:b.h5'::True:False:True"
    layers = ["Input:(64, 64, 3)", backbone, "Permute:(2, 1, 3)"]
    assert _lost(
        augmentation__rotation_range=12.5,
        loss_function__loss="focal",
        loss_function__parameter1=0.5,
        layers__serial_layer_list=layers,
    ) == [
        "loss_function.parameter2",
        "augmentation.rotation_range",
        "layers.serial_layer_list[1].input_scaling",
        "layers.serial_layer_list[1].input_shape",
        "layers.serial_layer_list[1].weights",
        "layers.serial_layer_list[2]",
    ]
    assert _lost(layers__serial_layer_list=[]) == ["config_file.input_shape"]
    assert legacy_losses(resolve_config(Config(config_file={"prebuilt": "unet2d"})))[-1].path == (
        "config_file.prebuilt"
    )


def test_losses_that_1_0_does_not_have_are_told() -> None:
    changes = {"loss_function__loss": "jaccard_set", "loss_function__additional_losses": ["focal"]}
    config = _complete(json.dumps(sections(**changes)))
    told = {row.path: row.message for row in legacy_losses(config)}
    assert told == {
        "loss_function.loss": "DLAE 1.0 has no loss 'jaccard_set'",
        "loss_function.additional_losses": ("left out (focal:1.0): DLAE 1.0 has no such setting"),
    }


def test_fields_that_1_0_does_not_have_are_left_out() -> None:
    layers = [
        "Input:(64, 64, 3)",
        "ResNet50:False:none:(64, 64, 3):True:False:True",
        "Depthwise separable convolution 2D:8:(3, 3):(1, 1):same:(2, 2):he_normal",
    ]
    written = _written(layers__serial_layer_list=layers)["layers"]["serial_layer_list"]
    assert written[1] == "ResNet50:False:none:(64, 64, 3):True:False"
    assert written[2] == (
        "Depthwise separable convolution 2D:8:(3, 3):(1, 1):same:he_normal:None:None:0.001:0.001"
    )


def test_layers_that_1_0_never_built_are_those_of_the_table() -> None:
    rows = json.loads(reference_path("..", "spec", "layers.json").read_text())
    broken = {row["type"] for row in rows if not row["status"].startswith("ok")}
    assert set(NEVER_BUILT) == broken
