"""Defaults: what a configuration is when something is left out, and where every value came from."""

import json

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Convolution, Input, Layer
from dlae_core.config import Completion, complete_config, read_config, resolve_config

OPTIMIZER = '{"optimizer": {"gan_optimizer": "SGD::::0.5"}}'


def test_defaults_are_neutral_where_1_0_had_harmful_ones() -> None:
    config = resolve_config(Config())
    assert config.augmentation.width_shift == 0
    assert config.learning_rate_schedule.decay_on_plateau_factor == 0.2
    assert list(config.bbd_options.scales) == [0.1, 0.9]
    assert not config.loss_function.HasField("parameter1")
    assert not config.optimizer.HasField("epsilon")


def test_every_setting_with_a_default_is_set() -> None:
    config = resolve_config(Config())
    assert config.config_file.HasField("model_signal")
    assert config.paths.HasField("train_x")
    assert [list(item.values) for item in config.bbd_options.aspect_ratios] == [[0.5, 1, 1.5, 2]]
    assert config.learning_rate_schedule.gan_learning_rate.learning_rate == 0.0001


def test_given_values_stay_and_their_neighbours_are_filled() -> None:
    settings = resolve_config(read_config(OPTIMIZER).config).optimizer.gan_optimizer
    assert (settings.optimizer, settings.beta1, settings.momentum) == ("SGD", 0.9, 0.5)


def test_the_given_configuration_is_not_changed() -> None:
    config = Config()
    resolve_config(config)
    assert config == Config()


def test_resolving_again_changes_nothing() -> None:
    config = resolve_config(read_config(OPTIMIZER).config)
    assert resolve_config(config) == config


def test_input_shape_comes_from_the_input_layer() -> None:
    config = read_config('{"layers": {"generator_layer_list": ["Input:(8, 6, 2)"]}}').config
    assert list(resolve_config(config).config_file.input_shape) == [8, 6, 2]


def test_layers_of_a_message_are_completed() -> None:
    config = Config()
    config.layers.serial_layer_list.extend(
        [
            Layer(input=Input(shape=[8, 8, 1])),
            Layer(rank=3, convolution=Convolution(filters=2, kernel=[5])),
            Layer(rank=2**31 - 1, convolution=Convolution(filters=2, kernel=[5])),
        ]
    )
    convolution = resolve_config(config).layers.serial_layer_list[1].convolution
    assert list(convolution.kernel) == [5, 5, 5]
    assert list(convolution.stride) == [1, 1, 1]
    assert convolution.padding == "same"


def _completed(**sections: object) -> Completion:
    reading = read_config(json.dumps(sections))
    assert reading.violations == ()
    return complete_config(reading.config, reading.switched_off)


def test_every_value_has_an_origin() -> None:
    completion = _completed(
        optimizer={"gan_optimizer": "SGD::::0.5", "beta1": 0.5},
        paths={"train_X": ""},
        layers={"serial_layer_list": ["Input:(8, 6, 2)"]},
    )
    origins = completion.origins
    assert origins["optimizer.gan_optimizer.momentum"] == "file"
    assert origins["optimizer.gan_optimizer.beta1"] == "default"
    assert origins["optimizer.beta1"] == "file"
    assert origins["paths.train_X"] == "file"
    assert origins["paths.train_y"] == "default"
    assert origins["layers.serial_layer_list"] == "file"
    assert origins["config_file.input_shape"] == "rule"
    assert list(completion.config.config_file.input_shape) == [8, 6, 2]


def test_a_list_of_texts_with_colons_has_one_origin() -> None:
    completion = _completed(loss_function={"additional_losses": ["focal"]})
    assert completion.origins["loss_function.additional_losses"] == "file"
    assert _completed().origins["loss_function.additional_losses"] == "default"


def test_a_shape_without_an_input_layer_is_nowhere_from() -> None:
    assert _completed().origins["config_file.input_shape"] == "default"


def test_values_of_a_prebuilt_network_are_told_from_those_of_the_file() -> None:
    network = {"prebuilt": "unet2d", "input_shape": [64, 64, 1]}
    completion = _completed(config_file=network, monitors={"mse_switch": True})
    origins = completion.origins
    assert completion.violations == ()
    assert origins["config_file.input_shape"] == "file"
    assert origins["config_file.model_signal"] == "prebuilt"
    assert origins["layers.serial_layer_list"] == "prebuilt"
    assert origins["monitors.mse_switch"] == "file"
    assert origins["monitors.mae_switch"] == "default"


def test_the_name_of_a_prebuilt_network_is_written_out() -> None:
    completion = _completed(config_file={"prebuilt": "unet2d"})
    assert completion.config.config_file.prebuilt == ""
    assert completion.origins["config_file.prebuilt"] == "rule"


def test_a_setting_that_the_file_switches_off_stays_off_beside_a_prebuilt_network() -> None:
    network = {"prebuilt": "ssd"}
    assert len(_completed(config_file=network).config.bbd_options.steps) == 7
    completion = _completed(config_file=network, bbd_options={"steps": "None"})
    assert len(completion.config.bbd_options.steps) == 0
    assert completion.origins["bbd_options.steps"] == "file"


def test_what_an_unknown_prebuilt_network_would_bring_is_doubtful() -> None:
    completion = _completed(config_file={"prebuilt": "unet22d"}, paths={"train_X": "X.h5"})
    assert [row.reason for row in completion.violations] == ["UNKNOWN_PREBUILT"]
    assert {"layers.serial_layer_list", "loss_function.loss"} <= completion.doubtful
    assert "paths.train_X" not in completion.doubtful


def test_values_of_prebuilt_are_those_of_the_expanded_configuration() -> None:
    completion = _completed(config_file={"prebuilt": "pix2pix"})
    assert completion.config == resolve_config(completion.config)
    assert resolve_config(Config()) == complete_config(Config()).config
