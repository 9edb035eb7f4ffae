"""What training minimizes: weights, sums and precision."""

import json
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config
from dlae_core.losses import LOSSES, Objective, loss_row
from tests.dlae_core.losses.inputs import KINDS, golden_pair, random_pair, value_and_gradient

pytestmark = pytest.mark.keras

WEIGHTS = np.array([0.5, 1.0, 4.0])
SHAPES = ("2d3c", "3d2c", "cls4")


def _config(loss: str, *additional: str, weighted: bool = False) -> Config:
    sections = {
        "loss_function": {"loss": loss, "additional_losses": list(additional)},
        "preprocessing": {"weight_loss_switch": weighted},
    }
    reading = read_config(json.dumps(sections))
    assert reading.violations == ()
    return resolve_config(reading.config)


def _value(config: Config, numbers: np.ndarray, predicted: np.ndarray) -> float:
    objective = loss_row(config)
    truth = np.eye(3, dtype=np.float32)[numbers]
    if objective.target_kind == "sparse":
        truth = numbers[..., np.newaxis].astype(np.int32)
    weights = WEIGHTS if objective.weighted else None
    loss = objective.build(config.loss_function, weights)
    return float(loss(truth, predicted.astype(np.float32)))


@pytest.mark.parametrize("space", [(), (6, 5)])
@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_switch_weights_each_pixel_by_its_class(name: str, space: tuple[int, ...]) -> None:
    numbers, predicted = random_pair(space)
    chosen = np.take_along_axis(predicted, numbers[..., np.newaxis], -1)[..., 0]
    expected = (-WEIGHTS[numbers] * np.log(chosen)).mean()
    assert _value(_config(name, weighted=True), numbers, predicted) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["focal", "jaccard"])
def test_switch_weights_focal_and_pixel_wise_jaccard(name: str) -> None:
    numbers, predicted = random_pair((6, 5))
    chosen = np.take_along_axis(predicted, numbers[..., np.newaxis], -1)[..., 0]
    by_pixel = {
        "focal": -0.25 * (1 - chosen) ** 2 * np.log(chosen),
        "jaccard": 100 * (1 - (chosen + 100) / (2 - chosen + 100)),
    }
    expected = (WEIGHTS[numbers] * by_pixel[name]).mean()
    found = _value(_config(name, weighted=True), numbers, predicted)
    assert found == pytest.approx(expected, rel=2e-4)


def test_class_weights_are_needed_only_where_something_is_weighted() -> None:
    plain, dice = "categorical_crossentropy", "soft_dice"
    assert not loss_row(_config(plain)).weighted
    assert not loss_row(_config(dice, weighted=True)).weighted
    assert loss_row(_config(plain, weighted=True)).weighted
    assert loss_row(_config(dice, "focal", weighted=True)).weighted
    assert loss_row(_config("sparse_categorical_crossentropy", f"weighted_{plain}")).weighted
    with pytest.raises(ValueError, match="expected class weights"):
        loss_row(_config(f"weighted_{plain}")).build(Config().loss_function, None)


@pytest.mark.parametrize("main", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_losses_are_added_times_their_weights(main: str) -> None:
    numbers, predicted = random_pair((6, 5))
    config = _config(main, "soft_dice:0.5", "focal:2:0.5:1", "mean_squared_error")
    assert loss_row(config).target_kind == LOSSES[main].target_kind
    parts = [
        (1.0, _config("categorical_crossentropy")),
        (0.5, _config("soft_dice")),
        (1.0, _config("mean_squared_error")),
    ]
    focal = _config("focal")
    focal.loss_function.parameter1, focal.loss_function.parameter2 = 0.5, 1
    expected = sum(weight * _value(one, numbers, predicted) for weight, one in [*parts, (2, focal)])
    assert _value(config, numbers, predicted) == pytest.approx(expected, rel=1e-6)


def test_losses_of_values_are_added() -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.normal(0, 3, (2, 5, 4)).astype(np.float32)
    config = _config("mean_squared_error", "mean_absolute_error:0.25")
    loss = loss_row(config).build(config.loss_function, None)
    difference = predicted.astype(float) - truth
    expected = (difference**2).mean() + np.abs(difference).mean() / 4
    assert float(loss(truth, predicted)) == pytest.approx(expected, rel=1e-6)


def _pairs(sparse: bool) -> list[tuple[str, Any]]:
    names = [f"{shape}_{kind}" for shape in SHAPES for kind in KINDS]
    pairs = [(name, golden_pair(name, sparse)) for name in names]
    nothing = pairs[0][1]
    return [*pairs, ("zeros", (nothing[0], nothing[1] * 0))]


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_values_and_gradients_are_finite_at_the_extremes(name: str, kind: str) -> None:
    objective = Objective(LOSSES[name], switched=True)
    for case, (truth, predicted) in _pairs(LOSSES[name].target_kind == "sparse"):
        for zero in (False, True):
            settings = Config().loss_function
            if zero:
                settings.parameter1 = settings.parameter2 = 0
            loss = objective.build(settings, np.ones(predicted.shape[-1]))
            value, gradient = value_and_gradient(loss, truth, predicted, kind)
            assert np.isfinite(value), case
            assert np.isfinite(gradient).all(), case


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_half_precision_costs_no_more_than_the_output_lost(name: str) -> None:
    truth, predicted = golden_pair("2d3c_soft", LOSSES[name].target_kind == "sparse")
    loss = Objective(LOSSES[name]).build(Config().loss_function, np.ones(3))
    import tensorflow as tf

    rounded = tf.cast(tf.cast(predicted, tf.bfloat16), tf.float32)
    exact, _ = value_and_gradient(loss, truth, rounded)
    found, _ = value_and_gradient(loss, truth, predicted, "bfloat16")
    assert found == exact


def test_losses_compile_for_any_batch_size_and_with_xla() -> None:
    import tensorflow as tf

    truth, predicted = golden_pair("2d3c_soft", sparse=True)
    config = _config("sparse_categorical_crossentropy", "tversky", "jaccard_set", weighted=True)
    loss = loss_row(config).build(config.loss_function, WEIGHTS)
    shapes = [tf.TensorSpec((None, *one.shape[1:]), one.dtype) for one in (truth, predicted)]
    for compiled in (False, True):
        step = tf.function(loss, input_signature=shapes, jit_compile=compiled)
        for size in (2, 1):
            expected = float(loss(truth[:size], predicted[:size]))
            assert float(step(truth[:size], predicted[:size])) == pytest.approx(expected, rel=1e-5)
