"""Losses against the values of DLAE 1.0 and closed forms."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import LossFunction
from dlae_core.losses import LOSSES, Loss
from tests.reference import reference_path

pytestmark = pytest.mark.keras

Arrays = Mapping[str, np.ndarray]

# Appendix B.1 of the specification: batch 1, 2 x 2 pixels, two classes.
TRUTH = np.array([[[0, 1], [0, 1]]])
ONE_HOT = np.eye(2, dtype=np.float32)[TRUTH]
SECOND = np.array([[[0.1, 0.7], [0.4, 0.9]]], np.float32)
PREDICTED = np.stack([1 - SECOND, SECOND], axis=-1)


def _value_and_gradient(
    loss: Loss, truth: np.ndarray, predicted: np.ndarray
) -> tuple[float, np.ndarray]:
    """Returns the loss and its derivative by the prediction."""
    import tensorflow as tf

    output = tf.constant(predicted)
    with tf.GradientTape() as tape:
        tape.watch(output)
        value = loss(truth, output)
    return float(value), np.asarray(tape.gradient(value, output))


def _value(name: str, truth: np.ndarray, *parameters: float) -> float:
    names = ("parameter1", "parameter2")
    settings = LossFunction(**dict(zip(names, parameters, strict=False)))
    return float(LOSSES[name].build(settings, np.array([0.5, 2.0]))(truth, PREDICTED))


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("categorical_crossentropy", (), 0.269555),
        ("mean_squared_error", (), 0.0675),
        ("mean_absolute_error", (), 0.225),
        ("tversky", (0.3, 0.7), 0.450401),
        ("tversky", (0.7, 0.3), 0.449851),
        ("tversky", (), 0.450281),
        ("jaccard", (), 0.444226),
        ("jaccard", (1,), 0.196170),
        ("focal", (), 0.00724625),
        ("focal", (0.75, 2), 0.0217388),
        ("soft_dice", (), 0.225),
        ("soft_dice", (1,), 0.2),
        ("weighted_categorical_crossentropy", (), 0.308041),
    ],
)
def test_losses_have_the_values_of_the_specification(
    name: str, parameters: tuple[float, ...], expected: float
) -> None:
    assert _value(name, ONE_HOT, *parameters) == pytest.approx(expected, rel=5e-6)


def test_sparse_crossentropy_equals_that_of_one_hot_targets() -> None:
    truth = TRUTH[..., np.newaxis].astype(np.int32)
    assert _value("sparse_categorical_crossentropy", truth) == pytest.approx(0.269555, rel=5e-6)


GOLDEN = {
    "tversky_2d": ("tversky", ("alpha", "beta")),
    "tversky_3d": ("tversky", ("alpha", "beta")),
    "jaccard": ("jaccard", ("smooth",)),
    "focal": ("focal", ("alpha", "gamma")),
    "soft_dice": ("soft_dice", ("smooth",)),
    "categorical_crossentropy": ("categorical_crossentropy", ()),
    "weighted_crossentropy": ("weighted_categorical_crossentropy", ()),
    "sparse_categorical_crossentropy": ("sparse_categorical_crossentropy", ()),
    "mean_squared_error": ("mean_squared_error", ()),
    "mean_absolute_error": ("mean_absolute_error", ()),
}


def _golden_arrays(case: dict[str, Any], arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Returns y_true and y_pred of a case."""
    place = f"inputs/{case['input']}"
    if case["y_true"] == "labels":
        truth = arrays[f"{place}/labels"][..., np.newaxis].astype(np.int32)
    else:
        truth = arrays[f"{place}/y_true"]
    return truth, arrays[f"{place}/y_pred"]


@pytest.mark.parametrize("original", sorted(GOLDEN))
def test_losses_and_gradients_are_those_of_1_0(original: str) -> None:
    name, keys = GOLDEN[original]
    arrays = np.load(reference_path("golden", "losses.npz"))
    cases = json.loads(reference_path("golden", "losses.json").read_text())
    mine = {key: case for key, case in cases.items() if key.startswith(f"{original}/")}
    compared = 0
    for key, case in mine.items():
        # Tversky is 0/0 in 1.0 where a class is absent from truth and prediction.
        if not case["finite"]:
            assert (name, case["input"].split("_")[1]) == ("tversky", "oneclassperfect")
            continue
        values = (float(case["params"][key]) for key in keys)
        settings = LossFunction(**dict(zip(("parameter1", "parameter2"), values, strict=False)))
        loss = LOSSES[name].build(settings, case["params"].get("weights"))
        value, gradient = _value_and_gradient(loss, *_golden_arrays(case, arrays))
        np.testing.assert_allclose(value, case["mean"], rtol=1e-5, atol=1e-6, err_msg=key)
        if case["grad_finite"]:
            expected = arrays[f"{key}/grad_of_mean"]
            np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=2e-6, err_msg=key)
        compared += 1
    assert compared >= 20


def test_tversky_of_a_class_in_neither_truth_nor_prediction_is_perfect() -> None:
    arrays = np.load(reference_path("golden", "losses.npz"))
    truth = arrays["inputs/2d3c_oneclassperfect/y_true"]
    value, gradient = _value_and_gradient(
        LOSSES["tversky"].build(LossFunction(), None), truth, truth
    )
    assert value == pytest.approx(0, abs=1e-6)
    assert np.isfinite(gradient).all()


# The same losses written down a second time, in float64.
FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "categorical_crossentropy": lambda y, p: -(y * np.log(p)).sum(-1).mean(),
    "weighted_categorical_crossentropy": lambda y, p: (
        -(np.array([0.5, 1.0, 4.0]) * y * np.log(p)).sum(-1).mean()
    ),
    "mean_squared_error": lambda y, p: ((p - y) ** 2).mean(),
    "mean_absolute_error": lambda y, p: np.abs(p - y).mean(),
    "tversky": lambda y, p: sum(
        1 - (a * b).sum() / ((a * b).sum() + (b * (1 - a)).sum() / 2 + (a * (1 - b)).sum() / 2)
        for a, b in ((y[..., c], p[..., c]) for c in range(3))
    ),
    "jaccard": lambda y, p: (
        100 * (1 - ((y * p).sum(-1) + 100) / ((y + p - y * p).sum(-1) + 100))
    ).mean(),
    "focal": lambda y, p: -0.25 * ((1 - p) ** 2 * y * np.log(p)).sum(-1).mean(),
    "soft_dice": lambda y, p: 1 - (2 * (y * p).sum() + 1e-6) / (y.sum() + p.sum() + 1e-6),
}


@pytest.mark.parametrize("space", [(), (24, 20), (12, 10, 8)])
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_losses_equal_their_formulas_in_float64(name: str, space: tuple[int, ...]) -> None:
    random = np.random.default_rng(len(space))
    truth = np.eye(3)[random.integers(0, 3, (4, *space))]
    logits = random.normal(0, 2, truth.shape)
    predicted = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    loss = LOSSES[name].build(LossFunction(), np.array([0.5, 1.0, 4.0]))
    found = float(loss(truth.astype(np.float32), predicted.astype(np.float32)))
    # Jaccard's index is next to 1 with its smoothing of 100: float32 loses two digits.
    assert found == pytest.approx(FORMULAS[name](truth, predicted), rel=2e-4)


def test_every_loss_has_a_formula_or_a_golden_value() -> None:
    assert set(LOSSES) == set(FORMULAS) | {"sparse_categorical_crossentropy"}
    assert set(LOSSES) == {name for name, _ in GOLDEN.values()}


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("kind", ["perfect", "worst", "empty"])
def test_values_and_gradients_are_finite_at_the_extremes(name: str, kind: str) -> None:
    numbers = np.array([[0, 1, 0, 1]])
    truth = np.eye(3, dtype=np.float32)[numbers]
    wrong = np.eye(3, dtype=np.float32)[1 - numbers]
    predicted = {"perfect": truth, "worst": wrong, "empty": truth * 0}[kind]
    if LOSSES[name].target_kind == "sparse":
        truth = numbers[..., np.newaxis].astype(np.int32)
    loss = LOSSES[name].build(LossFunction(), np.ones(3))
    value, gradient = _value_and_gradient(loss, truth, predicted)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
