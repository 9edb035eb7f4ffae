"""Distributions measured piece by piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlae_core.data.distribution import BINS, PIECE, Distribution

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _of(values: object, dtype: str = "f8") -> Distribution:
    found = Distribution.of(np.asarray(values, dtype))
    assert found is not None
    return found


def _counts(values: np.ndarray, found: Distribution) -> np.ndarray:
    histogram = found.histogram
    edges = histogram.start + histogram.width * np.arange(len(histogram.counts) + 1)
    places = np.searchsorted(edges, values, side="right") - 1
    return np.bincount(places, minlength=len(histogram.counts))


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_moments_and_histogram_are_those_of_numpy(dtype: str) -> None:
    values = (np.random.default_rng(2).normal(60, 15, 2 * PIECE + 77)).astype(dtype)
    found, exact = _of(values, dtype), values.astype(np.float64)
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert found.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(exact.std(), rel=1e-9)
    np.testing.assert_array_equal(found.histogram.counts, _counts(exact, found))
    assert BINS / 4 < len(found.histogram.counts) <= BINS
    assert found.histogram.width >= 1 or dtype[0] == "f"


@given(st.lists(FINITE, min_size=2, max_size=40), st.data())
def test_the_order_of_the_pieces_changes_nothing(values: list[float], data: st.DataObject) -> None:
    whole = _of(values)
    cut = data.draw(st.integers(1, len(values) - 1))
    joined = _of(values[cut:]).merged(_of(values[:cut]))
    assert (joined.count, joined.minimum, joined.maximum) == (
        whole.count,
        whole.minimum,
        whole.maximum,
    )
    assert joined.histogram.exponent == whole.histogram.exponent
    assert joined.histogram.first == whole.histogram.first
    np.testing.assert_array_equal(joined.histogram.counts, whole.histogram.counts)
    assert len(whole.histogram.counts) <= BINS
    largest = max(abs(value) for value in values)
    assert joined.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9 * largest + 1e-300)


@pytest.mark.parametrize("value", [0.0, 5e-324, -1e308, 3.0, 1 / 3])
def test_one_number_many_times_is_one_bin(value: float) -> None:
    found = _of([value] * 9)
    assert found.histogram.counts.tolist() == [9]
    assert found.histogram.start <= value < found.histogram.start + found.histogram.width


def test_counted_numbers_are_as_good_as_the_numbers() -> None:
    values = np.repeat([7, 0, 900], [5, 2, 3])
    found = Distribution.of_counts({7: 5, 0: 2, 900: 3}).to_json()
    expected = _of(values, "i4").to_json()
    assert found.pop("histogram") == expected.pop("histogram")
    assert found == pytest.approx(expected)


def test_nothing_has_no_distribution() -> None:
    assert Distribution.of(np.zeros((0, 5))) is None


def test_extremes_of_float64_are_told_as_json() -> None:
    found = _of([-1e308, 1e308]).to_json()
    assert (found["minimum"], found["maximum"], found["deviation"]) == (-1e308, 1e308, None)
    assert _of([1e308] * 9).to_json()["mean"] is None
