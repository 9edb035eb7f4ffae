"""Numbers about a whole data set, with confidence intervals.

Reference: Efron and Tibshirani, An introduction to the bootstrap, 1993: percentile intervals.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Places = NDArray[np.intp]

# Numbers in one array of resamples: what fits caches, more or less.
_AT_ONCE = 1 << 20


class Key(NamedTuple):
    """What a number is.

    Attributes:
        name: Of the metric: `dice`.
        subject: What it is about: `class 1`, `point 0`; empty: all.
        unit: `mm`; empty: none.
    """

    name: str
    subject: str = ""
    unit: str = ""

    @property
    def column(self) -> str:
        """The key as the head of a column: `hd95_mm_class_1`."""
        parts = (self.name, self.unit, self.subject.replace(" ", "_"))
        return "_".join(part for part in parts if part)


@dataclass(frozen=True)
class Statistics:
    """Numbers that follow from rows, each of which belongs to a case.

    Attributes:
        keys: What the numbers are.
        owners: Case of each row, intp (rows,).
        of: From how often each row counts, float64 (draws, rows), to the numbers, float64
            (draws, keys); NaN where a number is not defined.
        cases: How many rows each number rests on.
        infinite: How many rows were left out of each number because they are infinite.
        width: Numbers that `of` makes of one draw, where they are more than rows.
    """

    keys: tuple[Key, ...]
    owners: Places
    of: Callable[[Float64], Float64]
    cases: tuple[int, ...]
    infinite: tuple[int, ...] = ()
    width: int = 0


@dataclass(frozen=True)
class Measure:
    """A number about the data set.

    Attributes:
        key: What it is.
        value: Of all cases; NaN where it is not defined.
        low: Lower end of the confidence interval.
        high: Upper end.
        cases: How many cases, or samples, it rests on.
        infinite: How many cases were left out because their value is infinite.
    """

    key: Key
    value: float
    low: float
    high: float
    cases: int
    infinite: int = 0


@dataclass(frozen=True)
class Bootstrap:
    """Resampling of cases with replacement, the same for the same seed.

    Attributes:
        draws: Resamples; 0: no intervals.
        confidence: Share of the resamples within an interval.
        seed: Of the draws.
    """

    draws: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def resamples(self, cases: int, width: int) -> Iterator[Float64]:
        """Yields how often each case was drawn, float64 (some draws, cases).

        Args:
            cases: Number of cases.
            width: Numbers that the caller makes of one draw.
        """
        random = np.random.default_rng(self.seed)
        some = max(1, _AT_ONCE // max(width, cases, 1))
        for start in range(0, self.draws, some):
            size = min(some, self.draws - start)
            yield random.multinomial(cases, np.full(cases, 1 / cases), size).astype(np.float64)

    def interval(self, replicates: Float64) -> tuple[float, float]:
        """Returns the ends of the percentile interval of the defined replicates (draws,)."""
        defined = replicates[~np.isnan(replicates)]
        if not len(defined):
            return float("nan"), float("nan")
        tail = 50 * (1 - self.confidence)
        low, high = np.percentile(defined, [tail, 100 - tail])
        return float(low), float(high)


def measure(
    statistics: Sequence[Statistics], cases: int, bootstrap: Bootstrap
) -> tuple[Measure, ...]:
    """Returns every number with its interval; resamples are of cases, not of rows."""
    found: list[Measure] = []
    for one in statistics:
        values = one.of(np.ones((1, len(one.owners))))[0]
        width = max(len(one.owners), len(one.keys), one.width)
        parts = [one.of(drawn[:, one.owners]) for drawn in bootstrap.resamples(cases, width)]
        replicates = np.concatenate([np.empty((0, len(one.keys))), *parts])
        infinite = one.infinite or (0,) * len(one.keys)
        for place, key in enumerate(one.keys):
            ends = bootstrap.interval(replicates[:, place])
            value = float(values[place])
            found.append(Measure(key, value, *ends, one.cases[place], infinite[place]))
    return tuple(found)


def means(keys: Sequence[Key], values: Any, owners: Places | None = None) -> Statistics:
    """Returns the means over rows of a table of values.

    What is not defined, NaN, and what is infinite does not count.

    Args:
        keys: What the columns are.
        values: (rows, keys).
        owners: Case of each row; None: each row is one.
    """
    table = np.asarray(values, np.float64).reshape(-1, len(keys))
    finite = np.isfinite(table)
    filled = np.where(finite, table, 0.0)

    def of(weights: Float64) -> Float64:
        return ratio(weights @ filled, weights @ finite)

    rows = np.arange(len(table)) if owners is None else owners
    infinite = tuple(np.isinf(table).sum(axis=0).tolist())
    return Statistics(tuple(keys), rows, of, tuple(finite.sum(axis=0).tolist()), infinite)


def ratio(above: Any, below: Any) -> Float64:
    """Returns above / below, NaN where below is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    found: Float64 = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found
