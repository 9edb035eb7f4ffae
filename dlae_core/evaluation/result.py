"""What an evaluation found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.evaluation.measures import Float64, Key, Measure, Statistics, means

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Place:
    """Where the pixels of a sample lie, as far as its attributes tell.

    Attributes:
        spacing: Length of a pixel along each space axis, in mm; empty where not known.
        series: Which volume a slice was cut from; empty for what is no slice.
        slice: Its number in the volume.
        step: Distance of neighbouring slices, in mm; 0 where not known.
    """

    spacing: tuple[float, ...] = ()
    series: str = ""
    slice: int = 0
    step: float = 0.0


@dataclass(frozen=True)
class Sample:
    """One sample, predicted.

    Attributes:
        name: Name of its datasets.
        predicted: As the task's evaluator takes it.
        reference: Annotation, as stored.
        place: Where its pixels lie.
    """

    name: str
    predicted: Numbers
    reference: Numbers
    place: Place = field(default_factory=Place)


@dataclass(frozen=True)
class Case:
    """What one line of the table of cases is about: a sample, or samples that belong together.

    Attributes:
        samples: Names of its samples.
        values: The metrics.
        group: Number of the group that it belongs to, from 0.
        quality: How good it is, the higher the better; NaN where that is not defined.
    """

    samples: tuple[str, ...]
    values: Mapping[Key, float]
    group: int
    quality: float


@dataclass(frozen=True)
class Scores:
    """Class probabilities of all samples.

    Attributes:
        probabilities: float64 (samples, classes).
        reference: Classes, intp (samples,).
    """

    probabilities: Float64
    reference: NDArray[np.intp]


@dataclass(frozen=True)
class Agreement:
    """Two measurements of the same quantity, to be compared.

    Attributes:
        title: What it is: `class 1`.
        unit: Its unit.
        reference: float64 (cases,).
        predicted: float64 (cases,).
    """

    title: str
    unit: str
    reference: Float64
    predicted: Float64


@dataclass(frozen=True)
class Curve:
    """A line of a diagram.

    Attributes:
        title: What it is.
        x: float64 (points,).
        y: float64 (points,).
    """

    title: str
    x: Float64
    y: Float64


@dataclass(frozen=True)
class Result:
    """What an evaluation found.

    Attributes:
        cases: Case by case.
        measures: Of all cases.
        notes: What a reader of the numbers should know.
        confusion: Pixels or images by class in the reference (rows) and class predicted (columns).
        scores: Of a classification of images that gives probabilities.
        agreements: Measurements to be compared.
        curves: Precision against recall by class, of detections.
        froc: Sensitivity against false alarms per image, of detections.
    """

    cases: tuple[Case, ...]
    measures: tuple[Measure, ...]
    notes: tuple[str, ...] = ()
    confusion: NDArray[np.int64] | None = None
    scores: Scores | None = None
    agreements: tuple[Agreement, ...] = ()
    curves: tuple[Curve, ...] = ()
    froc: Curve | None = None

    def columns(self) -> list[Key]:
        """Returns the metrics of the cases, in order."""
        return list(dict.fromkeys(key for case in self.cases for key in case.values))

    def to_json(self) -> dict[str, Any]:
        """Returns the measures as JSON values; null where a number is infinite or not defined."""
        return {
            "cases": len(self.cases),
            "measures": [
                {
                    "name": one.key.name,
                    "subject": one.key.subject,
                    "unit": one.key.unit,
                    "value": finite(one.value),
                    "low": finite(one.low),
                    "high": finite(one.high),
                    "cases": one.cases,
                    "infinite": one.infinite,
                }
                for one in self.measures
            ],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "notes": list(self.notes),
        }


def means_of_cases(cases: Sequence[Case], leave_out: Sequence[str] = ()) -> Statistics:
    """Returns the means of the metrics of cases, those with a name in `leave_out` left out."""
    every = dict.fromkeys(key for case in cases for key in case.values)
    keys = [key for key in every if key.name not in leave_out]
    table = [[case.values.get(key, math.nan) for key in keys] for case in cases]
    return means(keys, table, np.array([case.group for case in cases], np.intp))


def finite(value: float) -> float | None:
    """Returns a number that JSON can hold, else None."""
    return value if math.isfinite(value) else None


def exemplary(cases: Sequence[Case]) -> list[tuple[str, Case]]:
    """Returns the best, the median and the worst case, each with that word; less if there are."""
    ranked = sorted(
        (case for case in cases if not math.isnan(case.quality)),
        key=lambda case: case.quality,
        reverse=True,
    )
    if not ranked:
        return []
    chosen = {"best": 0, "median": (len(ranked) - 1) // 2, "worst": len(ranked) - 1}
    places: dict[int, str] = {}
    for word, place in chosen.items():
        places.setdefault(place, word)
    return [(word, ranked[place]) for place, word in sorted(places.items())]
