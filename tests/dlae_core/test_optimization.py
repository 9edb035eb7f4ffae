"""Optimizers, rates and stopping against the measured behaviour of DLAE 1.0."""

import json
import re

import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import LearningRateSchedule
from dlae_core.config import read_config, resolve_config
from dlae_core.optimization import OPTIMIZERS, EarlyStopping, LearningRate, build_optimizer
from tests.reference import reference_path

pytestmark = pytest.mark.keras


def _schedules() -> dict:
    return json.loads(reference_path("golden", "schedules.json").read_text())


def _schedule(**settings: object) -> LearningRateSchedule:
    text = json.dumps({"learning_rate_schedule": settings})
    return resolve_config(read_config(text).config).learning_rate_schedule


def test_decay_counts_updates_as_1_0_did() -> None:
    for key, case in _schedules()["decay"].items():
        rate, decay = map(float, re.fullmatch(r"lr([\d.]+)_decay([\d.]+)", key).groups())
        schedule = LearningRate(_schedule(learning_rate=rate, learning_rate_decay_factor=decay))
        measured = case["measured_lr_by_iteration"]
        ours = [schedule.rate(update, 0) for update in range(len(measured))]
        np.testing.assert_allclose(ours, measured, rtol=1e-6)


def test_plateaus_and_stopping_happen_in_the_epochs_of_1_0() -> None:
    cases = _schedules()["plateau_and_early_stop"]
    assert cases
    for key, case in cases.items():
        patience, factor, stop = re.search(r"patience(\d+)_factor([\d.]+)_stop(\d+)", key).groups()
        schedule = LearningRate(
            _schedule(
                learning_rate=0.01,
                decay_on_plateau_switch=True,
                decay_on_plateau_factor=float(factor),
                decay_on_plateau_patience=int(patience),
            )
        )
        stopping, stopped, used = EarlyStopping(int(stop)), None, []
        for epoch, loss in enumerate(case["val_loss"]):
            used.append(schedule.rate(0, epoch))
            schedule.epoch_finished(loss)
            if stopping.epoch_finished(loss) and stopped is None:
                stopped = epoch
        np.testing.assert_allclose(used, case["lr_used_in_epoch"], rtol=1e-5, err_msg=key)
        assert stopped == case["early_stop_after_epoch_index"], key


def test_steps_multiply_with_decay_and_plateau() -> None:
    schedule = LearningRate(
        _schedule(
            learning_rate=1.0,
            learning_rate_decay_factor=1.0,
            step_decay_switch=True,
            step_decay_factor=0.5,
            step_decay_period=2,
            decay_on_plateau_switch=True,
            decay_on_plateau_factor=0.1,
            decay_on_plateau_patience=1,
        )
    )
    assert [schedule.rate(1, epoch) for epoch in range(5)] == [0.5, 0.5, 0.25, 0.25, 0.125]
    for _ in range(2):
        schedule.epoch_finished(1.0)
    assert schedule.rate(3, 4) == pytest.approx(1 / 4 * 0.25 * 0.1)


def test_without_validation_neither_plateau_nor_stopping_acts() -> None:
    schedule = LearningRate(_schedule(decay_on_plateau_switch=True, decay_on_plateau_patience=0))
    stopping = EarlyStopping(0)
    for _ in range(5):
        schedule.epoch_finished(None)
        assert not stopping.epoch_finished(None)
    assert schedule.rate(0, 5) == 0.0001


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_takes_its_settings(name: str) -> None:
    text = json.dumps(
        {"optimizer": {"optimizer": name, "beta1": 0.8, "beta2": 0.9, "rho": 0.7, "momentum": 0.6}}
    )
    optimizer = build_optimizer(resolve_config(read_config(text).config).optimizer, 0.01)
    expected = {"beta_1": 0.8, "beta_2": 0.9, "rho": 0.7, "momentum": 0.6, "epsilon": 1e-7}
    settings = optimizer.get_config()
    if name in ("RMSprop", "Adagrad"):
        expected["epsilon"] = 1e-14  # In the root of v, where 1.0 adds 1e-7 to the root.
    for argument in OPTIMIZERS[name].settings:
        assert settings[argument] == pytest.approx(expected[argument])


def test_the_least_epsilon_keeps_weights_finite_that_have_no_gradient() -> None:
    for name in ("RMSprop", "Adagrad"):
        text = json.dumps({"optimizer": {"optimizer": name, "epsilon": 1e-30}})
        optimizer = build_optimizer(resolve_config(read_config(text).config).optimizer, 0.01)
        weights = keras.Variable(np.ones(3))
        optimizer.apply([keras.ops.zeros(3)], [weights])
        np.testing.assert_array_equal(weights.numpy(), np.ones(3))


def _moved(name: str, case: str) -> np.ndarray:
    """Returns the weights (updates, weights) after each update of a golden trajectory."""
    arrays = np.load(reference_path("golden", "schedules.npz"))
    overrides = _schedules()["trajectories"][f"traj/{name}/{case}"]["config_overrides"]
    sections: dict[str, dict[str, object]] = {"optimizer": {"optimizer": name}}
    for place, value in overrides.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    config = resolve_config(read_config(json.dumps(sections)).config)
    rates = LearningRate(config.learning_rate_schedule)
    optimizer = build_optimizer(config.optimizer, rates.rate(0, 0))
    weights = keras.Variable(arrays["traj/w0"])
    history = []
    for update, gradient in enumerate(arrays["traj/gradients"]):
        optimizer.learning_rate = rates.rate(update, 0)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        history.append(weights.numpy())
    return np.stack(history)


CASES = ["defaults", "decay0.1", "tuned", "eps_none_lr0.01"]


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adadelta", "Adamax"])
@pytest.mark.parametrize("case", CASES)
def test_weights_move_as_in_1_0(name: str, case: str) -> None:
    expected = np.load(reference_path("golden", "schedules.npz"))[f"traj/{name}/{case}"]
    np.testing.assert_allclose(_moved(name, case), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad"])
@pytest.mark.parametrize("case", ["defaults", "decay0.1", "eps_none_lr0.01"])
def test_weights_move_as_in_1_0_but_for_epsilon_in_the_root(name: str, case: str) -> None:
    arrays = np.load(reference_path("golden", "schedules.npz"))
    expected, found = arrays[f"traj/{name}/{case}"], _moved(name, case)
    # Weight 4 has gradients down to 1e-7, the size of epsilon.
    ordinary = np.arange(6) != 4
    np.testing.assert_allclose(found[:, ordinary], expected[:, ordinary], rtol=1e-5, atol=1e-8)
    moved = np.abs(expected[-1, 4] - arrays["traj/w0"][4])
    assert np.abs(found[:, 4] - expected[:, 4]).max() < 0.01 * moved
