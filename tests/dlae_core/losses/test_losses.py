"""Losses against the values of DLAE 1.0 and closed forms."""

from collections.abc import Callable

import numpy as np
import pytest

from dlae.v1.config_pb2 import LossFunction
from dlae_core.config.loss_kinds import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    SPARSE_LOSS,
    WEIGHTED_LOSSES,
)
from dlae_core.losses import FAMILY_DEFAULTS, LOSSES, Loss, parameters
from tests.dlae_core.losses.inputs import (
    ONE_HOT,
    PREDICTED,
    TRUTH,
    golden_arrays,
    golden_cases,
    golden_pair,
    random_pair,
    value_and_gradient,
)

pytestmark = pytest.mark.keras

NAMES = ("parameter1", "parameter2")


def _loss(name: str, *values: float, weights: np.ndarray | None = None) -> Loss:
    return LOSSES[name].build(LossFunction(**dict(zip(NAMES, values, strict=False))), weights)


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
        ("jaccard", (0,), 0.0),
        ("focal", (), 0.00724625),
        ("focal", (0.75, 2), 0.0217388),
        ("soft_dice", (), 0.225),
        ("soft_dice", (0,), 0.225),
        ("soft_dice", (1,), 0.2),
    ],
)
def test_losses_have_the_values_of_the_specification(
    name: str, parameters: tuple[float, ...], expected: float
) -> None:
    assert float(_loss(name, *parameters)(ONE_HOT, PREDICTED)) == pytest.approx(expected, rel=5e-6)


def test_weighted_crossentropy_has_the_value_of_the_specification() -> None:
    loss = _loss("weighted_categorical_crossentropy", weights=np.array([0.5, 2.0]))
    assert float(loss(ONE_HOT, PREDICTED)) == pytest.approx(0.308041, rel=5e-6)


def test_sparse_crossentropy_equals_that_of_one_hot_targets() -> None:
    loss = _loss("sparse_categorical_crossentropy")
    truth = TRUTH[..., np.newaxis].astype(np.int32)
    assert float(loss(truth, PREDICTED)) == pytest.approx(0.269555, rel=5e-6)


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("tversky", (0.5, 0.5)),
        ("jaccard", (100,)),
        ("focal", (0.25, 2)),
        ("soft_dice", (1e-6,)),
        ("ssd", (3, 1)),
        ("pix2pix", (100,)),
        ("cyclegan", (10, 0.5)),
    ],
)
def test_parameters_left_out_are_the_recommended_ones(name: str, defaults: tuple) -> None:
    row = FAMILY_DEFAULTS[name] if name in FAMILY_DEFAULTS else LOSSES[name].defaults
    assert parameters(LossFunction(), row) == defaults
    assert parameters(LossFunction(parameter1=0), row) == (0, *defaults[1:])


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


@pytest.mark.parametrize("original", sorted(GOLDEN))
def test_losses_and_gradients_are_those_of_1_0_and_finite_where_those_are_not(
    original: str,
) -> None:
    name, keys = GOLDEN[original]
    mine = {key: case for key, case in golden_cases().items() if key.startswith(f"{original}/")}
    assert len(mine) > 20
    for key, case in mine.items():
        values = (float(case["params"][key]) for key in keys)
        loss = _loss(name, *values, weights=case["params"].get("weights"))
        pair = golden_pair(case["input"], sparse=case["y_true"] == "labels")
        value, gradient = value_and_gradient(loss, *pair)
        if case["finite"]:
            np.testing.assert_allclose(value, case["mean"], rtol=1e-5, atol=1e-6, err_msg=key)
        else:
            # 0 / 0 in 1.0 where a class is absent from truth and prediction (F9).
            assert (name, case["input"].split("_")[1]) == ("tversky", "oneclassperfect")
            assert value == pytest.approx(0, abs=1e-6)
        if case["grad_finite"]:
            expected = golden_arrays()[f"{key}/grad_of_mean"]
            np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=2e-6, err_msg=key)
        else:
            assert np.isfinite(gradient).all(), key


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
    "jaccard_set": lambda y, p: np.mean(
        [1 - (a * b).sum() / (a + b - a * b).sum() for a, b in zip(y.T, p.T, strict=True)]
    ),
    "focal": lambda y, p: -0.25 * ((1 - p) ** 2 * y * np.log(p)).sum(-1).mean(),
    "soft_dice": lambda y, p: 1 - (2 * (y * p).sum() + 1e-6) / (y.sum() + p.sum() + 1e-6),
}


@pytest.mark.parametrize("space", [(), (24, 20), (12, 10, 8)])
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_losses_equal_their_formulas_in_float64(name: str, space: tuple[int, ...]) -> None:
    numbers, predicted = random_pair(space, seed=len(space))
    truth = np.eye(3)[numbers]
    loss = _loss(name, weights=np.array([0.5, 1.0, 4.0]) if name.startswith("weighted") else None)
    found = float(loss(truth.astype(np.float32), predicted.astype(np.float32)))
    # Jaccard's index is next to 1 with its smoothing of 100: float32 loses two digits.
    assert found == pytest.approx(FORMULAS[name](truth, predicted), rel=2e-4)


def test_every_loss_has_a_formula_or_a_golden_value() -> None:
    assert set(LOSSES) == set(FORMULAS) | {"sparse_categorical_crossentropy"}
    assert set(LOSSES) == {name for name, _ in GOLDEN.values()} | {"jaccard_set"}


def test_kinds_of_losses_in_the_configuration_are_those_of_the_table() -> None:
    kinds = {name: row.target_kind for name, row in LOSSES.items()}
    assert {name for name in kinds if kinds[name] != "values"} == set(CLASSIFICATION_LOSSES)
    assert {name for name in kinds if kinds[name] == "values"} == set(REGRESSION_LOSSES)
    assert [name for name in kinds if kinds[name] == "sparse"] == [SPARSE_LOSS]
    weighted = {name for name, row in LOSSES.items() if row.weighting != "never"}
    assert weighted == set(WEIGHTED_LOSSES)


def test_set_wise_jaccard_is_one_minus_intersection_over_union_of_sets() -> None:
    numbers = np.array([[0, 0, 1, 1, 1, 2]])
    found = np.array([[0, 1, 1, 1, 0, 1]])
    truth, predicted = np.eye(3, dtype=np.float32)[numbers], np.eye(3, dtype=np.float32)[found]
    # Class 0: 1 of 3. Class 1: 2 of 5. Class 2: 0 of 1.
    expected = np.mean([1 - 1 / 3, 1 - 2 / 5, 1])
    assert float(_loss("jaccard_set")(truth, predicted)) == pytest.approx(expected, rel=1e-5)


def test_derivative_of_the_set_wise_jaccard_is_its_difference_quotient() -> None:
    numbers, predicted = random_pair((4, 3))
    truth, formula = np.eye(3)[numbers], FORMULAS["jaccard_set"]
    _, gradient = value_and_gradient(
        _loss("jaccard_set"), truth.astype(np.float32), predicted.astype(np.float32)
    )
    for place in [(0, 0, 0, 0), (1, 2, 1, 2), (3, 3, 2, 1)]:
        step = np.zeros_like(predicted)
        step[place] = 1e-6
        quotient = (formula(truth, predicted + step) - formula(truth, predicted - step)) / 2e-6
        assert gradient[place] == pytest.approx(quotient, rel=1e-3)
