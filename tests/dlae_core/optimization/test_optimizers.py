"""Optimizers against DLAE 1.0 and against NumPy in float64."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config
from dlae_core.optimization import OPTIMIZERS, LearningRate, build_optimizer
from tests.dlae_core.optimization.golden import arrays, schedules

pytestmark = pytest.mark.keras


def _config(**sections: dict[str, Any]) -> Config:
    reading = read_config(json.dumps(sections))
    assert reading.violations == ()
    return resolve_config(reading.config)


def _optimizer(name: str, rate: float = 0.01, **settings: Any) -> keras.optimizers.Optimizer:
    config = _config(optimizer={"optimizer": name, **settings})
    return build_optimizer(config.optimizer, rate)


def _moved(optimizer: keras.optimizers.Optimizer, rates: Iterator[float]) -> np.ndarray:
    """Returns the weights (updates, weights) after each update by the golden gradients."""
    weights = keras.Variable(arrays()["traj/w0"])
    history = []
    for gradient, rate in zip(arrays()["traj/gradients"], rates, strict=False):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        history.append(weights.numpy())
    return np.stack(history)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_takes_its_settings(name: str) -> None:
    optimizer = _optimizer(name, beta1=0.8, beta2=0.9, rho=0.7, momentum=0.6)
    expected = {"beta_1": 0.8, "beta_2": 0.9, "rho": 0.7, "momentum": 0.6, "epsilon": 1e-7}
    settings = optimizer.get_config()
    if name in ("RMSprop", "Adagrad"):
        expected["epsilon"] = 1e-14  # In the root of v, where 1.0 adds 1e-7 to the root.
    for argument in OPTIMIZERS[name].settings:
        assert settings[argument] == pytest.approx(expected[argument])


def test_the_least_epsilon_keeps_weights_finite_that_have_no_gradient() -> None:
    for name in ("RMSprop", "Adagrad"):
        optimizer = _optimizer(name, epsilon=1e-30)
        weights = keras.Variable(np.ones(3))
        optimizer.apply([keras.ops.zeros(3)], [weights])
        np.testing.assert_array_equal(weights.numpy(), np.ones(3))


def _as_in_1_0(name: str, case: str) -> np.ndarray:
    """Returns the weights (updates, weights) of a golden trajectory by our optimizer and rates."""
    overrides = schedules()["trajectories"][f"traj/{name}/{case}"]["config_overrides"]
    sections: dict[str, dict[str, Any]] = {"optimizer": {"optimizer": name}}
    for place, value in overrides.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    config = _config(**sections)
    rates = LearningRate(config.learning_rate_schedule)
    optimizer = build_optimizer(config.optimizer, rates.rate(0, 0))
    return _moved(optimizer, (rates.rate(update, 0) for update in range(12)))


CASES = ["defaults", "decay0.1", "tuned", "eps_none_lr0.01"]


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adadelta", "Adamax"])
@pytest.mark.parametrize("case", CASES)
def test_weights_move_as_in_1_0(name: str, case: str) -> None:
    expected = arrays()[f"traj/{name}/{case}"]
    np.testing.assert_allclose(_as_in_1_0(name, case), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad"])
@pytest.mark.parametrize("case", ["defaults", "decay0.1", "eps_none_lr0.01"])
def test_weights_move_as_in_1_0_but_for_epsilon_in_the_root(name: str, case: str) -> None:
    expected, found = arrays()[f"traj/{name}/{case}"], _as_in_1_0(name, case)
    # Weight 4 has gradients down to 1e-7, the size of epsilon.
    ordinary = np.arange(6) != 4
    np.testing.assert_allclose(found[:, ordinary], expected[:, ordinary], rtol=1e-5, atol=1e-8)
    moved = np.abs(expected[-1, 4] - arrays()["traj/w0"][4])
    assert np.abs(found[:, 4] - expected[:, 4]).max() < 0.01 * moved


@pytest.mark.parametrize(
    ("case", "rate", "settings"),
    [("defaults", 1e-4, {}), ("tuned", 0.01, {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3})],
)
def test_nadam_moves_weights_as_that_of_keras_2(
    case: str, rate: float, settings: dict[str, float]
) -> None:
    expected = arrays()[f"traj/plain_keras_Nadam/{case}"]
    found = _moved(_optimizer("NAdam", rate, **settings), iter([rate] * 12))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


# Each update rule in float64: settings, gradient, rate, number of the update and what is kept of
# the updates before, to the step that is taken away from the weights.
Kept = dict[str, Any]
RULE = {"beta1": 0.8, "beta2": 0.95, "rho": 0.85, "momentum": 0.6, "epsilon": 1e-3}


def _moments(g: np.ndarray, kept: Kept) -> tuple[np.ndarray, np.ndarray]:
    kept["m"] = RULE["beta1"] * kept.get("m", 0) + (1 - RULE["beta1"]) * g
    kept["v"] = RULE["beta2"] * kept.get("v", 0) + (1 - RULE["beta2"]) * g**2
    return kept["m"], kept["v"]


def _sgd(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    kept["m"] = RULE["momentum"] * kept.get("m", 0) + rate * g
    return kept["m"]


def _adam(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    m, v = _moments(g, kept)
    corrected = rate * np.sqrt(1 - RULE["beta2"] ** t) / (1 - RULE["beta1"] ** t)
    return corrected * m / (np.sqrt(v) + RULE["epsilon"])


def _adamax(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    m, _ = _moments(g, kept)
    kept["u"] = np.maximum(RULE["beta2"] * kept.get("u", 0), np.abs(g))
    return rate / (1 - RULE["beta1"] ** t) * m / (kept["u"] + RULE["epsilon"])


def _nadam(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    m, v = _moments(g, kept)
    now, then = (RULE["beta1"] * (1 - 0.5 * 0.96 ** (s / 250)) for s in (t, t + 1))
    kept["p"] = kept.get("p", 1.0) * now
    mean = (1 - now) * g / (1 - kept["p"]) + then * m / (1 - kept["p"] * then)
    return rate * mean / (np.sqrt(v / (1 - RULE["beta2"] ** t)) + RULE["epsilon"])


def _rmsprop(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    kept["v"] = RULE["rho"] * kept.get("v", 0) + (1 - RULE["rho"]) * g**2
    return rate * g / np.sqrt(kept["v"] + RULE["epsilon"] ** 2)


def _adagrad(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    kept["v"] = kept.get("v", 0) + g**2
    return rate * g / np.sqrt(kept["v"] + RULE["epsilon"] ** 2)


def _adadelta(g: np.ndarray, rate: float, t: int, kept: Kept) -> np.ndarray:
    rho, epsilon = RULE["rho"], RULE["epsilon"]
    kept["v"] = rho * kept.get("v", 0) + (1 - rho) * g**2
    step = g * np.sqrt(kept.get("d", 0) + epsilon) / np.sqrt(kept["v"] + epsilon)
    kept["d"] = rho * kept.get("d", 0) + (1 - rho) * step**2
    return rate * step


STEPS: dict[str, Callable[[np.ndarray, float, int, Kept], np.ndarray]] = {
    "SGD": _sgd,
    "Adam": _adam,
    "NAdam": _nadam,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "Adamax": _adamax,
}


def _in_numpy(
    name: str, cut: Callable[[np.ndarray], np.ndarray] = lambda g: g, decay: float = 0
) -> np.ndarray:
    """Returns the weights (updates, weights) after each update with a falling rate, float64."""
    weights, kept, history = arrays()["traj/w0"].astype(float), {}, []
    for update, gradient in enumerate(arrays()["traj/gradients"].astype(float)):
        rate = RATES[update]
        weights = weights * (1 - rate * decay)
        weights = weights - STEPS[name](cut(gradient), rate, update + 1, kept)
        history.append(weights)
    return np.stack(history)


RATES = [0.01 / (1 + 0.1 * update) for update in range(12)]


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_weights_move_as_in_float64(name: str) -> None:
    found = _moved(_optimizer(name, **RULE), iter(RATES))
    np.testing.assert_allclose(found, _in_numpy(name), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["Adam", "SGD"])
@pytest.mark.parametrize(
    ("settings", "cut"),
    [
        ({"gradient_clip_norm": 0.5}, lambda g: g * min(1, 0.5 / np.linalg.norm(g))),
        ({"gradient_clip_norm": 1e6}, lambda g: g),
        ({"gradient_clip_value": 0.1}, lambda g: np.clip(g, -0.1, 0.1)),
    ],
)
def test_gradients_are_cut_down_first(
    name: str, settings: dict[str, float], cut: Callable[[np.ndarray], np.ndarray]
) -> None:
    found = _moved(_optimizer(name, **RULE, **settings), iter(RATES))
    np.testing.assert_allclose(found, _in_numpy(name, cut), rtol=1e-5, atol=1e-7)


def test_the_norm_is_that_of_all_weights_together() -> None:
    optimizer = _optimizer("SGD", 1.0, gradient_clip_norm=1.0)
    weights = [keras.Variable(np.zeros(1)), keras.Variable(np.zeros(1))]
    optimizer.apply([keras.ops.ones(1) * 3, keras.ops.ones(1) * 4], weights)
    np.testing.assert_allclose([float(one[0]) for one in weights], [-0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "SGD"])
def test_weight_decay_goes_past_the_moments(name: str) -> None:
    found = _moved(_optimizer(name, **RULE, weight_decay=0.1), iter(RATES))
    np.testing.assert_allclose(found, _in_numpy(name, decay=0.1), rtol=1e-5, atol=1e-7)


def test_nothing_is_limited_by_default() -> None:
    settings = _optimizer("Adam").get_config()
    limits = ("global_clipnorm", "clipnorm", "clipvalue", "weight_decay")
    assert [settings[name] for name in limits] == [None] * 4
