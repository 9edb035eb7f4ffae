"""Values and points of images: closed forms."""

import numpy as np
import pytest
from sklearn import metrics

from dlae_core.evaluation.geometry import Units
from dlae_core.evaluation.measures import Bootstrap, Key
from dlae_core.evaluation.numbers import Points, Regression
from dlae_core.evaluation.result import Place, Sample

RANDOM = np.random.default_rng(8)


def test_errors_agreement_and_correlation_of_values() -> None:
    reference = RANDOM.normal(1000, 2, (60, 2))
    predicted = reference + RANDOM.normal(0.5, 1, (60, 2))
    evaluator = Regression()
    for place in range(60):
        evaluator.add([Sample(str(place), predicted[place], reference[place])])
    result = evaluator.result(Bootstrap(100))
    found = {one.key: one for one in result.measures}
    for place in range(2):
        x, y = reference[:, place], predicted[:, place]
        error = y - x
        expected = {
            "mae": metrics.mean_absolute_error(x, y),
            "rmse": metrics.root_mean_squared_error(x, y),
            "bias": error.mean(),
            "lower_limit": error.mean() - 1.96 * error.std(ddof=1),
            "upper_limit": error.mean() + 1.96 * error.std(ddof=1),
            "r2": metrics.r2_score(x, y),
            "pearson": np.corrcoef(x, y)[0, 1],
        }
        for name, value in expected.items():
            one = found[Key(name, f"value {place}")]
            assert one.value == pytest.approx(value, abs=1e-8)
            assert one.low <= one.value <= one.high
    assert result.cases[3].values[Key("error", "value 1")] == predicted[3, 1] - reference[3, 1]
    assert [one.title for one in result.agreements] == ["value 0", "value 1"]


def test_one_value_has_no_number_and_constant_values_no_correlation() -> None:
    evaluator = Regression()
    evaluator.add([Sample(str(place), np.array([place]), np.array(3.0)) for place in range(4)])
    found = {one.key: one.value for one in evaluator.result(Bootstrap(0)).measures}
    assert found[Key("mae")] == 1.5
    assert np.isnan([found[Key("r2")], found[Key("pearson")]]).all()


def test_errors_of_points_are_distances_in_pixels_and_in_mm() -> None:
    reference = np.array([[10.0, 10.0], [20.0, 5.0]])
    predicted = reference + np.array([[3.0, 4.0], [0.0, -2.0]])
    units = Units.of([Place((2.0, 0.5))], 2, grouped=False)
    evaluator = Points(units)
    evaluator.add([Sample("7", predicted.ravel(), reference.ravel(), Place((2.0, 0.5)))])
    values = evaluator.result(Bootstrap(0)).cases[0].values
    first, second = np.hypot(6, 2), 1.0
    assert values == pytest.approx(
        {
            Key("coordinate_error", "", "pixels"): 3.5,
            Key("coordinate_error", "point 0", "pixels"): 5,
            Key("coordinate_error", "point 1", "pixels"): 2,
            Key("coordinate_error", "", "mm"): (first + second) / 2,
            Key("coordinate_error", "point 0", "mm"): first,
            Key("coordinate_error", "point 1", "mm"): second,
        }
    )


def test_points_without_spacing_are_in_pixels_only_and_compared_axis_by_axis() -> None:
    evaluator = Points(Units(mm=False, stacked=False, axes=3))
    for place in range(3):
        evaluator.add([Sample(str(place), np.array([1.0, 2, 3]), np.array([1.0, 2, 3 + place]))])
    result = evaluator.result(Bootstrap(20))
    (error,) = result.measures
    assert (error.key, error.value) == (Key("coordinate_error", "", "pixels"), 1)
    assert [one.title for one in result.agreements] == ["row", "column", "slice"]
    assert result.agreements[2].reference.tolist() == [3, 4, 5]
