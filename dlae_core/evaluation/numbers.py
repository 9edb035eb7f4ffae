"""Numbers of images: values, and coordinates of points.

Reference: Bland and Altman, Statistical methods for assessing agreement between two methods of
clinical measurement, 1986.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlae_core.evaluation.geometry import Units
from dlae_core.evaluation.measures import Bootstrap, Float64, Key, Statistics, measure, ratio
from dlae_core.evaluation.result import Agreement, Case, Result, Sample, means_of_cases

# Half the width of the limits of agreement, in standard deviations.
LIMITS = 1.96


@dataclass
class Regression:
    """Evaluates values of images."""

    _cases: list[Case] = field(default_factory=list)
    _predicted: list[Float64] = field(default_factory=list)
    _reference: list[Float64] = field(default_factory=list)
    _groups: int = 0

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds samples that belong together: predictions and references (values,)."""
        for one in samples:
            predicted, reference = (
                np.asarray(side, np.float64).reshape(-1) for side in (one.predicted, one.reference)
            )
            self._predicted.append(predicted)
            self._reference.append(reference)
            values: dict[Key, float] = {}
            for place, subject in enumerate(_subjects("value", len(reference))):
                values[Key("reference", subject)] = float(reference[place])
                values[Key("predicted", subject)] = float(predicted[place])
                error = float(predicted[place] - reference[place])
                values[Key("error", subject)] = error
            quality = -float(np.abs(predicted - reference).mean())
            self._cases.append(Case((one.name,), values, self._groups, quality))
        self._groups += 1

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        predicted, reference = np.stack(self._predicted), np.stack(self._reference)
        owners = np.array([case.group for case in self._cases], np.intp)
        subjects = _subjects("value", reference.shape[1])
        statistics = [
            _of_values(subject, predicted[:, place], reference[:, place], owners)
            for place, subject in enumerate(subjects)
        ]
        return Result(
            cases=tuple(self._cases),
            measures=measure(statistics, self._groups, bootstrap),
            agreements=tuple(
                Agreement(subject or "value", "", reference[:, place], predicted[:, place])
                for place, subject in enumerate(subjects)
            ),
        )


@dataclass
class Points:
    """Evaluates coordinates of points: how far they are from where they should be.

    Attributes:
        units: Of lengths.
    """

    units: Units
    _cases: list[Case] = field(default_factory=list)
    _errors: list[Float64] = field(default_factory=list)
    _places: list[tuple[Float64, Float64]] = field(default_factory=list)
    _groups: int = 0

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds samples that belong together: coordinates (points * axes,), rows first, pixels."""
        for one in samples:
            predicted, reference = (
                np.asarray(side, np.float64).reshape(-1, self.units.axes)
                for side in (one.predicted, one.reference)
            )
            self._places.append((reference, predicted))
            lengths = [("pixels", (1.0,) * self.units.axes)]
            lengths += [("mm", one.place.spacing)] if self.units.mm else []
            values: dict[Key, float] = {}
            for unit, spacing in lengths:
                values |= _distances((predicted - reference) * np.array(spacing), unit)
            quality = -values[Key("coordinate_error", "", self.units.length)]
            self._cases.append(Case((one.name,), values, self._groups, quality))
        self._groups += 1

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        statistics = [means_of_cases(self._cases)]
        return Result(
            cases=tuple(self._cases),
            measures=measure(statistics, self._groups, bootstrap),
            agreements=tuple(self._agreements()),
        )

    def _agreements(self) -> list[Agreement]:
        sides = [np.stack([pair[side] for pair in self._places]) for side in (0, 1)]
        names = ("row", "column", "slice")[: self.units.axes]
        points = sides[0].shape[1]
        return [
            Agreement(
                name if points == 1 else f"{name}, all points",
                "pixels",
                sides[0][..., axis].ravel(),
                sides[1][..., axis].ravel(),
            )
            for axis, name in enumerate(names)
        ]


def _distances(differences: Float64, unit: str) -> dict[Key, float]:
    """Returns the mean distance, and where there are several points the distance of each."""
    lengths = np.sqrt((differences**2).sum(axis=1))
    found = {Key("coordinate_error", "", unit): float(lengths.mean())}
    for place, subject in enumerate(_subjects("point", len(lengths))):
        if subject:
            found[Key("coordinate_error", subject, unit)] = float(lengths[place])
    return found


def _subjects(noun: str, count: int) -> list[str]:
    return [f"{noun} {place}" for place in range(count)] if count > 1 else [""]


def _of_values(
    subject: str, predicted: Float64, reference: Float64, owners: NDArray[np.intp]
) -> Statistics:
    """Returns errors, agreement and correlation of one value."""
    names = ("mae", "rmse", "bias", "lower_limit", "upper_limit", "r2", "pearson")
    keys = tuple(Key(name, subject) for name in names)
    # Differences of large numbers lose digits; where zero lies does not matter.
    shift = reference.mean() if len(reference) else 0.0
    x, y = reference - shift, predicted - shift
    error = y - x
    columns = np.stack([np.abs(error), error, error**2, x, y, x * x, y * y, x * y], axis=1)

    def of(weights: Float64) -> Float64:
        count = weights.sum(axis=1)
        mae, bias, square, mean_x, mean_y, xx, yy, xy = (
            ratio(weights @ column, count) for column in columns.T
        )
        variance = np.maximum(xx - mean_x**2, 0)
        other = np.maximum(yy - mean_y**2, 0)
        spread = np.sqrt(ratio(np.maximum(square - bias**2, 0) * count, count - 1))
        found = (
            mae,
            np.sqrt(square),
            bias,
            bias - LIMITS * spread,
            bias + LIMITS * spread,
            1 - ratio(square, variance),
            ratio(xy - mean_x * mean_y, np.sqrt(variance * other)),
        )
        return np.stack(found, axis=1)

    return Statistics(keys, owners, of, (len(reference),) * len(keys))
