"""Configurations that name a prebuilt network."""

import json
from typing import Any

import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config
from dlae_core.config.prebuilt import expand_prebuilt, prebuilt_sections


def _config(name: str, **sections: dict[str, Any]) -> Config:
    """Returns a configuration that names a prebuilt network."""
    given = {"config_file": {"prebuilt": name}}
    for section, values in sections.items():
        given.setdefault(section, {}).update(values)
    reading = read_config(json.dumps(given))
    assert reading.violations == ()
    return reading.config


def _recipe(name: str, *arguments: Any) -> Config:
    return read_config(json.dumps(prebuilt_sections(name, *arguments))).config


@pytest.mark.parametrize("name", ["unet3d", "cyclegan", "ssd", "mobilenetv2_ssd", "alexnet"])
def test_a_name_alone_gives_the_whole_recipe(name: str) -> None:
    expanded, found = expand_prebuilt(_config(name))
    assert found == []
    assert expanded == _recipe(name)


def test_without_a_name_nothing_changes() -> None:
    for config in (Config(), resolve_config(Config())):
        assert expand_prebuilt(config) == (config, [])


def test_the_given_configuration_is_not_changed() -> None:
    config = _config("unet2d", monitors={"accuracy_switch": False})
    before = Config()
    before.CopyFrom(config)
    expand_prebuilt(config)
    assert config == before


def test_what_the_configuration_sets_stays() -> None:
    config = _config(
        "ssd",
        augmentation={"horizontal_flip_switch": False},
        bbd_options={"steps": [4, 8, 16, 32, 64, 128, 256], "variances": (1, 1, 1, 1)},
        optimizer={"optimizer": "SGD"},
        paths={"train_X": "X.h5"},
    )
    expanded, found = expand_prebuilt(config)
    assert found == []
    assert not expanded.augmentation.horizontal_flip_switch
    assert expanded.augmentation.vertical_flip_switch
    assert [item.values[0] for item in expanded.bbd_options.steps] == [4, 8, 16, 32, 64, 128, 256]
    assert list(expanded.bbd_options.variances) == [1, 1, 1, 1]
    assert len(expanded.bbd_options.aspect_ratios) == 7
    assert (expanded.optimizer.optimizer, expanded.paths.train_x) == ("SGD", "X.h5")


def test_rates_of_a_gan_are_filled_part_by_part() -> None:
    config = _config("pix2pix", learning_rate_schedule={"gan_learning_rate": "0.001"})
    schedule = expand_prebuilt(config)[0].learning_rate_schedule
    assert schedule.gan_learning_rate.learning_rate == 0.001
    assert schedule.discriminator_learning_rate.learning_rate == 0.0002


def test_shape_and_classes_of_the_configuration_shape_the_network() -> None:
    config = _config(
        "unet2d",
        config_file={"input_shape": [64, 96, 3]},
        preprocessing={"categories": 5},
        bbd_options={"number_classes": 9},
    )
    recipe = _recipe("unet2d", (64, 96, 3), 5)
    assert expand_prebuilt(config)[0].layers == recipe.layers
    config = _config("ssd", preprocessing={"categories": 5}, bbd_options={"number_classes": 9})
    assert expand_prebuilt(config)[0].bbd_options == _recipe("ssd", None, 9).bbd_options


def test_categories_are_nothing_to_a_gan() -> None:
    expanded, found = expand_prebuilt(_config("cyclegan", preprocessing={"categories": 5}))
    assert (expanded.layers, found) == (_recipe("cyclegan").layers, [])


def test_expanding_again_changes_nothing() -> None:
    expanded, _ = expand_prebuilt(_config("vgg16_unet"))
    assert expand_prebuilt(expanded) == (expanded, [])


@pytest.mark.parametrize(
    ("sections", "path", "reason"),
    [
        ({"config_file": {"prebuilt": "unet"}}, "config_file.prebuilt", "UNKNOWN_PREBUILT"),
        ({"config_file": {"model_signal": "CNN"}}, "config_file.model_signal", "CONTRADICTION"),
        (
            {"layers": {"serial_layer_list": ["Input:(8, 8, 1)"]}},
            "layers.serial_layer_list",
            "CONTRADICTION",
        ),
        (
            {"layers": {"generator_layer_list": ["Input:(8, 8, 1)"]}},
            "layers.generator_layer_list",
            "CONTRADICTION",
        ),
        (
            {"config_file": {"input_shape": [63, 63, 1]}},
            "config_file.input_shape",
            "UNSUITABLE_SHAPE",
        ),
        ({"preprocessing": {"categories": 1}}, "preprocessing.categories", "OUT_OF_RANGE"),
    ],
)
def test_contradictions_are_told_and_nothing_is_expanded(
    sections: dict[str, dict[str, Any]], path: str, reason: str
) -> None:
    config = _config("unet2d", **sections)
    same, found = expand_prebuilt(config)
    assert same == config
    assert [(row.path, row.reason) for row in found] == [(path, reason)]


def test_all_contradictions_are_told_at_once() -> None:
    layers = {"serial_layer_list": ["Input:(8, 8, 1)"]}
    config = _config("unet2d", config_file={"model_signal": "CNN"}, layers=layers)
    assert len(expand_prebuilt(config)[1]) == 2
