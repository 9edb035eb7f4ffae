"""Means and intervals: against resamples written out."""

import numpy as np
import pytest

from dlae_core.evaluation.measures import Bootstrap, Key, means, measure

KEYS = (Key("dice", "class 1"), Key("hd95", "class 1", "mm"))


def test_the_interval_holds_the_percentiles_of_means_of_resamples() -> None:
    values = np.random.default_rng(3).normal(size=(12, 2))
    bootstrap = Bootstrap(500, 0.9, seed=5)
    measures = measure([means(KEYS, values)], 12, bootstrap)
    counts = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), 500)
    for place, one in enumerate(measures):
        drawn = [values[np.repeat(np.arange(12), row), place].mean() for row in counts]
        assert one.value == pytest.approx(values[:, place].mean())
        assert (one.low, one.high) == pytest.approx(tuple(np.percentile(drawn, [5, 95])))
        assert (one.key, one.cases) == (KEYS[place], 12)


def test_what_is_not_defined_or_infinite_does_not_count_and_is_told() -> None:
    values = [[0.5, np.inf], [np.nan, 2.0], [0.7, 4.0]]
    dice, distance = measure([means(KEYS, values)], 3, Bootstrap(0))
    assert (dice.value, dice.cases, dice.infinite) == (pytest.approx(0.6), 2, 0)
    assert (distance.value, distance.cases, distance.infinite) == (3.0, 2, 1)
    assert np.isnan([dice.low, dice.high]).all()


def test_resamples_are_of_cases_so_that_rows_of_one_case_widen_the_interval() -> None:
    values = np.repeat([[0.0], [1.0], [2.0], [3.0]], 25, axis=0)
    owners = np.repeat(np.arange(4), 25)
    bootstrap = Bootstrap(1000)
    (together,) = measure([means(KEYS[:1], values, owners)], 4, bootstrap)
    (apart,) = measure([means(KEYS[:1], values)], 100, bootstrap)
    assert together.value == apart.value == 1.5
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_the_seed_decides_and_the_size_of_pieces_does_not() -> None:
    values = np.random.default_rng(0).normal(size=(30, 1))
    table = means(KEYS[:1], values)
    first, again = (measure([table], 30, Bootstrap(300)) for _ in range(2))
    assert first == again
    assert measure([table], 30, Bootstrap(300, seed=1)) != first
    whole = np.concatenate(list(Bootstrap(300).resamples(30, 1)))
    parts = list(Bootstrap(300).resamples(30, 1 << 19))
    assert len(parts) == 150
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (whole.sum(axis=1) == 30).all()


def test_columns_name_metric_unit_and_subject() -> None:
    assert KEYS[1].column == "hd95_mm_class_1"
    assert Key("accuracy").column == "accuracy"
