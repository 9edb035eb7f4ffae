"""Distributions of numbers, measured piece by piece and in any order."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array

# Bins of a histogram at most; and numbers measured at a time, so that they stay in the cache.
BINS = 256
PIECE = 1 << 18
# Bins are no narrower than this part of the largest magnitude: float64 has 53 bits.
FINEST_BITS = 40
# And no narrower than 2^this, whose inverse is still a number.
SMALLEST_EXPONENT = -1000


@dataclass(frozen=True)
class Histogram:
    """Counts in bins whose width is a power of two and whose edges are multiples of it.

    So histograms of different ranges add up exactly, and the result does not depend on the order.

    Attributes:
        exponent: Bins are 2^exponent wide.
        first: The first bin begins at first * width.
        counts: int64 (bins,).
    """

    exponent: int
    first: int
    counts: NDArray[np.int64]

    @property
    def width(self) -> float:
        """Width of a bin."""
        return math.ldexp(1.0, self.exponent)

    @property
    def start(self) -> float:
        """Lower end of the first bin."""
        return math.ldexp(float(self.first), self.exponent)

    @classmethod
    def of(
        cls, values: NDArray[np.float64], exponent: int, counts: NDArray[np.int64] | None = None
    ) -> "Histogram":
        """Counts values.

        Args:
            values: float64 (n,), n > 0, all finite.
            exponent: Of the width.
            counts: How often each value stands there; None: once.
        """
        places = values * math.ldexp(1.0, -exponent)
        np.floor(places, out=places)
        first = places.min()
        places -= first
        found = np.bincount(places.astype(np.intp), counts)
        return cls(exponent, int(first), found.astype(np.int64))

    def coarser(self, exponent: int) -> "Histogram":
        """Returns the same counts in bins of 2^exponent, no narrower than they are."""
        steps = exponent - self.exponent
        if steps == 0:
            return self
        places = (self.first + np.arange(len(self.counts))) >> steps
        merged = np.zeros(int(places[-1] - places[0]) + 1, np.int64)
        np.add.at(merged, places - places[0], self.counts)
        return Histogram(exponent, int(places[0]), merged)

    def merged(self, other: "Histogram", exponent: int) -> "Histogram":
        """Returns the counts of both in bins of 2^exponent."""
        one, two = self.coarser(exponent), other.coarser(exponent)
        first = min(one.first, two.first)
        end = max(one.first + len(one.counts), two.first + len(two.counts))
        counts = np.zeros(end - first, np.int64)
        for part in (one, two):
            counts[part.first - first : part.first - first + len(part.counts)] += part.counts
        return Histogram(exponent, first, counts)


@dataclass(frozen=True)
class Distribution:
    """Extremes, mean, spread and histogram of many numbers.

    Attributes:
        count: Numbers measured, more than 0.
        minimum: Smallest.
        maximum: Largest.
        mean: Mean.
        squares: Sum of squared differences from the mean.
        histogram: At most 256 bins from minimum to maximum.
    """

    count: int
    minimum: float
    maximum: float
    mean: float
    squares: float
    histogram: Histogram

    @property
    def deviation(self) -> float:
        """Standard deviation, of the numbers as a whole population."""
        return math.sqrt(self.squares / self.count)

    @classmethod
    def of(cls, values: Array) -> "Distribution | None":
        """Measures numbers of any shape and type; None where there are none."""
        flat, whole = values.reshape(-1), values.dtype.kind in "biu"
        measured: Distribution | None = None
        for start in range(0, flat.size, PIECE):
            piece = cls._of_piece(flat[start : start + PIECE].astype(np.float64), whole)
            measured = piece if measured is None else measured.merged(piece)
        return measured

    @classmethod
    def of_counts(cls, found: Mapping[int, int]) -> "Distribution":
        """Returns the distribution of whole numbers, each as often as it was counted."""
        values = np.array(list(found), np.float64)
        counts = np.array(list(found.values()), np.int64)
        low, high = float(values.min()), float(values.max())
        mean = float(values @ counts / counts.sum())
        squares = float((values - mean) ** 2 @ counts)
        histogram = Histogram.of(values, max(_exponent(low, high), 0), counts)
        return cls(int(counts.sum()), low, high, mean, squares, histogram)

    @classmethod
    def _of_piece(cls, values: NDArray[np.float64], whole: bool) -> "Distribution":
        low, high = float(values.min()), float(values.max())
        exponent = _exponent(low, high)
        histogram = Histogram.of(values, max(exponent, 0) if whole else exponent)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean())
            values -= mean
            # Not a dot product: BLAS starts threads of its own for it.
            squares = float(np.square(values, out=values).sum())
        return cls(values.size, low, high, mean, squares, histogram)

    def merged(self, other: "Distribution") -> "Distribution":
        """Returns the distribution of both.

        Reference: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
        """
        count, difference = self.count + other.count, other.mean - self.mean
        low, high = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        exponent = max(_exponent(low, high), self.histogram.exponent, other.histogram.exponent)
        return Distribution(
            count,
            low,
            high,
            self.mean + difference * (other.count / count),
            self.squares
            + other.squares
            + difference * difference * (self.count * other.count / count),
            self.histogram.merged(other.histogram, exponent),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the distribution as JSON values."""
        histogram = self.histogram
        return {
            "count": self.count,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": _told(self.mean),
            "deviation": _told(self.deviation),
            "histogram": {
                "start": histogram.start,
                "width": histogram.width,
                "counts": histogram.counts.tolist(),
            },
        }


def _told(number: float) -> float | None:
    """Returns a number that JSON can hold."""
    return number if math.isfinite(number) else None


def _exponent(low: float, high: float) -> int:
    """Returns the smallest exponent with which bins from low to high are few enough.

    It grows with the range only, whatever the order in which the range was seen.
    """
    largest = max(abs(low), abs(high))
    finest = math.frexp(largest)[1] if largest else SMALLEST_EXPONENT
    _, spread = math.frexp(high / (BINS - 1) - low / (BINS - 1))
    exponent = max(finest - FINEST_BITS, SMALLEST_EXPONENT)
    exponent = max(exponent, spread) if high > low else exponent
    while math.floor(math.ldexp(high, -exponent)) - math.floor(math.ldexp(low, -exponent)) >= BINS:
        exponent += 1
    return exponent
