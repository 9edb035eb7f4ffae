"""The estimate of memory and time: numbers counted by hand for small networks."""

import time
from typing import Any

import keras
import pytest
from keras import layers

from dlae.v1.config_pb2 import Config
from dlae_core.cost import Cost, estimate
from dlae_core.cost.arithmetic import GROUPED, work_of
from dlae_core.cost.calls import Call, calls_of
from dlae_core.cost.machine import CPU, throughput
from dlae_core.cost.memory import KEPT, activation_bytes, kept_bytes
from dlae_core.cost.roles import role_of
from dlae_core.cost.updates import UPDATES, update_of
from dlae_core.optimization import OPTIMIZERS, build_optimizer

pytestmark = pytest.mark.keras


def _config(**training: Any) -> Config:
    config = Config()
    settings = config.training_configurations
    settings.hardware, settings.batch_size = "cpu", 4
    for name, value in training.items():
        setattr(settings, name, value)
    config.loss_function.loss = "categorical_crossentropy"
    for optimizer in (config.optimizer, *_gan_optimizers(config)):
        optimizer.optimizer = "Adam"
    return config


def _gan_optimizers(config: Config) -> tuple[Any, Any]:
    return config.optimizer.gan_optimizer, config.optimizer.discriminator_optimizer


def _applied(shape: tuple[int, ...], *parts: keras.Layer) -> keras.Model:
    image = tensor = keras.Input(shape)
    for part in parts:
        tensor = part(tensor)
    return keras.Model(image, tensor)


def _only(shape: tuple[int, ...], part: keras.Layer) -> Call:
    (call,) = calls_of(_applied(shape, part))
    return call


@pytest.mark.parametrize(
    ("shape", "part", "multiply_adds"),
    [
        ((8, 8, 3), layers.Conv2D(5, 3, padding="same"), 8 * 8 * 5 * 3 * 3 * 3),
        ((8, 8, 3), layers.Conv2D(5, 3, strides=2, padding="valid"), 3 * 3 * 5 * 3 * 3 * 3),
        ((8, 8, 4), layers.Conv2D(6, 3, groups=2, padding="same"), 8 * 8 * 6 * 3 * 3 * 2),
        ((4, 5, 6, 2), layers.Conv3D(7, (1, 2, 3), padding="same"), 4 * 5 * 6 * 7 * 6 * 2),
        ((4, 4, 3), layers.Conv2DTranspose(5, 2, strides=2), 4 * 4 * 3 * 5 * 2 * 2),
        ((2, 2, 2, 3), layers.Conv3DTranspose(5, 2, strides=2), 8 * 3 * 5 * 8),
        ((8, 8, 3), layers.DepthwiseConv2D(3, padding="same"), 8 * 8 * 3 * 3 * 3),
        ((8, 8, 3), layers.SeparableConv2D(5, 3, padding="same"), 8 * 8 * (3 * 9 + 3 * 5)),
        ((7,), layers.Dense(5), 7 * 5),
        ((4, 4, 7), layers.Dense(5), 4 * 4 * 7 * 5),
        ((8, 8, 3), layers.MaxPooling2D(), 0),
    ],
    ids=lambda value: value.name if isinstance(value, keras.Layer) else None,
)
def test_multiply_adds_are_those_counted_by_hand(
    shape: tuple[int, ...], part: keras.Layer, multiply_adds: int
) -> None:
    assert work_of(_only(shape, part)).multiply_adds == multiply_adds


def test_grouped_convolutions_count_as_what_they_take() -> None:
    work = work_of(_only((8, 8, 4), layers.Conv2D(4, 3, groups=4, padding="same")))
    whole = work_of(_only((8, 8, 4), layers.Conv2D(4, 3, padding="same")))
    assert work.multiply_adds == whole.multiply_adds / 4
    assert work.effective == GROUPED * whole.multiply_adds
    assert whole.effective == whole.multiply_adds


def test_layers_without_arithmetic_move_bytes() -> None:
    relu = work_of(_only((8, 8, 3), layers.Activation("relu")))
    # Read and written; then gradient and output read, gradient written.
    assert (relu.forward_bytes, relu.backward_bytes) == (2 * 4 * 192, 3 * 4 * 192)
    for free in (layers.Activation("linear"), layers.Flatten()):
        assert work_of(_only((8, 8, 3), free)).forward_bytes == 0


def test_the_peak_of_a_chain_is_the_sum_counted_by_hand() -> None:
    model = _applied(
        (4, 4, 1),
        layers.Conv2D(2, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Conv2D(1, 1),
    )
    # Each tensor of two channels is 4 * 4 * 2 float32, 128 bytes. Kept: what normalization was
    # given, and what the rectifier gave, once, though the last convolution needs it too.
    # At the rectifier: both, and a gradient on either side: 512. At the last convolution: both, its
    # gradients of 64 and 128, and 128 to work in: 576. At normalization: its input, a gradient on
    # either side, and three times as much to work in: 768.
    assert KEPT["BatchNormalization"].scratch == 3
    assert activation_bytes(calls_of(model), batch=1) == 768
    assert activation_bytes(calls_of(model), batch=3) == 3 * 768


def test_a_skip_is_kept_once_and_its_gradient_waits() -> None:
    image = keras.Input((4, 4, 1))
    skip = layers.Activation("relu")(layers.Conv2D(2, 3, padding="same")(image))
    inner = layers.Activation("relu")(layers.Conv2D(2, 3, padding="same")(skip))
    joined = layers.Concatenate()([skip, inner])
    model = keras.Model(image, layers.Conv2D(2, 1)(joined))
    # Kept are skip and inner (128 each) and their concatenation (256): 512. At the last
    # convolution: 512, its gradients 128 and 256, and 256 to work in.
    assert activation_bytes(calls_of(model), batch=1) == 512 + 128 + 256 + 256


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (layers.Activation("linear"), 0),
        (layers.Flatten(), 0),
        (layers.AveragePooling2D(2), 0),
        (layers.MaxPooling2D(2), 4 * 36 + 4 * 9),
        (layers.BatchNormalization(), 4 * 36),
        (layers.Activation("tanh"), 4 * 36),
        (layers.LeakyReLU(), 4 * 36),
        (layers.Dropout(0.5), 36),
        (layers.GaussianDropout(0.5), 4 * 36),
        (layers.PReLU(), 3 * 4 * 36),
    ],
    ids=lambda value: value.name if isinstance(value, keras.Layer) else None,
)
def test_layers_keep_what_their_gradient_needs(part: keras.Layer, kept: int) -> None:
    # The convolution itself needs its input only, which is the network's.
    model = _applied((6, 6, 1), layers.Conv2D(1, 3, padding="same"), part)
    assert kept_bytes(calls_of(model)) == kept


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_slots_are_those_that_keras_keeps(name: str, momentum: float) -> None:
    settings = Config().optimizer
    settings.optimizer, settings.momentum = name, momentum
    settings.beta1, settings.beta2, settings.rho = 0.9, 0.999, 0.9
    optimizer = build_optimizer(settings, 0.001)
    optimizer.build([keras.Variable("zeros", shape=(2, 3, 5))])
    slots = [variable for variable in optimizer.variables if tuple(variable.shape) == (2, 3, 5)]
    assert update_of(settings).slots == len(slots)
    assert set(UPDATES) == set(OPTIMIZERS)


def test_the_networks_of_a_gan_have_their_own_parts_in_a_step() -> None:
    config = _config()
    assert (role_of("model", config).updates, role_of("model", config).through) == (1, 0)
    config.loss_function.loss = "pix2pix"
    assert (role_of("generator", config).updates, role_of("generator", config).through) == (1, 0)
    judge = role_of("discriminator", config)
    assert (judge.updates, judge.through, judge.optimizer) == (2, 1, "discriminator_optimizer")
    config.loss_function.loss = "cyclegan"
    assert [role_of(f"generator{number}", config).updates for number in (1, 2)] == [3, 3]


def _convolutions(name: str = "model", filters: int = 16) -> keras.Model:
    image = tensor = keras.Input((32, 32, 1))
    for _ in range(3):
        tensor = layers.Conv2D(filters, 3, padding="same")(tensor)
        tensor = layers.Activation("relu")(tensor)
    return keras.Model(image, layers.Conv2D(2, 1)(tensor), name=name)


def test_the_cost_grows_with_the_batch_by_a_constant_for_each_sample() -> None:
    model = _convolutions()
    costs = [estimate([model], _config(batch_size=size)) for size in (8, 16, 24)]
    memory = [cost.memory_bytes for cost in costs]
    seconds = [cost.seconds_per_step for cost in costs]
    assert memory[2] - memory[1] == pytest.approx(memory[1] - memory[0], abs=2)
    assert seconds[2] - seconds[1] == pytest.approx(seconds[1] - seconds[0])
    # Per sample: three outputs of the rectifiers, 32 * 32 * 16 float32 each, and gradients.
    assert 3 * 65536 < (memory[1] - memory[0]) / 8 < 8 * 65536


def test_an_optimizer_with_more_slots_takes_more_memory() -> None:
    model = _applied((100,), layers.Dense(1000), layers.Dense(10))
    memory = {}
    for name in ("SGD", "Adam"):
        config = _config()
        config.optimizer.optimizer = name
        memory[name] = estimate([model], config).memory_bytes
    weights = 4 * model.count_params()
    # Two slots, and two temporaries more while it updates; with SGD the two temporaries of the
    # largest tensor, with which it was filled, take as much as gradients and their temporaries.
    assert memory["Adam"] - memory["SGD"] == pytest.approx(4 * weights, rel=0.02)


def test_a_gan_takes_more_than_its_networks_trained_alone() -> None:
    models = [_convolutions("generator"), _convolutions("discriminator", 8)]
    alone = [estimate([model], _config()) for model in models]
    config = _config()
    config.loss_function.loss = "pix2pix"
    both = estimate(models, config)
    # An update of the generator, two of the discriminator and a gradient through it.
    expected = alone[0].seconds_per_step + alone[1].seconds_per_step * 8 / 3
    assert both.seconds_per_step == pytest.approx(expected, rel=0.15)
    assert both.memory_bytes > max(cost.memory_bytes for cost in alone)


def test_weights_need_no_values() -> None:
    with keras.StatelessScope(initialize_variables=False):
        outline = _convolutions()
    assert estimate([outline], _config()) == estimate([_convolutions()], _config())


def test_what_is_not_known_is_zero() -> None:
    model = _applied((None, None, 1), layers.Conv2D(2, 3))
    assert estimate([model], _config()) == Cost(0, 0.0)
    assert estimate([], _config()) == Cost(0, 0.0)


def test_the_machine_is_measured_once() -> None:
    first = throughput(CPU)
    start = time.perf_counter()
    assert throughput(CPU) is first
    assert time.perf_counter() - start < 0.01
    assert first is not None
    assert 1e8 < first.operations < 1e15
    assert 1e7 < first.bytes < 1e14
