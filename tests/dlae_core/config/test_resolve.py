"""Defaults: what a configuration is when something is left out."""

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Convolution, Input, Layer
from dlae_core.config import read_config, resolve_config

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
