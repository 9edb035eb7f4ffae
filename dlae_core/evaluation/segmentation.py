"""Label maps against label maps, class by class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlae_core.evaluation.geometry import Units, Volume
from dlae_core.evaluation.measures import Bootstrap, Float64, Key, measure
from dlae_core.evaluation.regions import (
    average_surface_distance,
    confusion_of,
    hausdorff95,
    overlaps,
    surface_distances,
)
from dlae_core.evaluation.result import Agreement, Case, Result, Sample, means_of_cases

_OF_ALL_CLASSES = ("dice", "iou", "hd95", "surface_distance")
_NOTE = (
    "a class that neither annotation nor prediction of a case holds does not count; distances of "
    "a class that only one of them holds are infinite and not in the means"
)


@dataclass
class Segmentation:
    """Evaluates label maps.

    The samples of a case are one: their pixels are counted together, slices are put back into
    their volume where it is known, and distances of its parts are pooled. Parts in which one side
    lacks the class add no distances if another part has both.

    Attributes:
        classes: Number of classes; 0 is the background.
        units: Of lengths and sizes.
    """

    classes: int
    units: Units
    _cases: list[Case] = field(default_factory=list)
    _confusion: NDArray[np.int64] | None = None

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds a case: samples whose prediction and reference are labels (*space,)."""
        confusion = sum(confusion_of(one.reference, one.predicted, self.classes) for one in samples)
        assert isinstance(confusion, np.ndarray)
        self._confusion = confusion if self._confusion is None else self._confusion + confusion
        volumes = self.units.volumes(samples)
        values: dict[Key, float] = {}
        for kind in range(1, self.classes):
            values |= self._of_class(kind, confusion, volumes)
        values |= self._sizes(samples)
        right = float(np.trace(confusion) / max(1, confusion.sum()))
        values = {Key("accuracy"): right, **self._over_classes(values), **values}
        names = tuple(one.name for one in samples)
        quality = _mean([value for key, value in values.items() if key.name == "dice"])
        self._cases.append(Case(names, values, len(self._cases), quality))

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        sizes = ("reference_size", "predicted_size")
        statistics = means_of_cases(self._cases, leave_out=sizes)
        return Result(
            cases=tuple(self._cases),
            measures=measure([statistics], len(self._cases), bootstrap),
            notes=(_NOTE,) if self._has_gaps() else (),
            confusion=self._confusion,
            agreements=tuple(self._agreement(kind) for kind in range(1, self.classes)),
        )

    def _has_gaps(self) -> bool:
        """Returns whether a number of a case is infinite or not defined."""
        return not all(math.isfinite(one) for case in self._cases for one in case.values.values())

    def _of_class(
        self, kind: int, confusion: NDArray[np.int64], volumes: Sequence[Volume]
    ) -> dict[Key, float]:
        subject = f"class {kind}"
        found = {Key(name, subject): value for name, value in overlaps(confusion, kind).items()}
        hausdorff = Key("hd95", subject, self.units.length)
        average = Key("surface_distance", subject, self.units.length)
        if not confusion[kind].any() and not confusion[:, kind].any():
            return {**found, hausdorff: math.nan, average: math.nan}
        parts = [
            surface_distances(one.reference == kind, one.predicted == kind, one.spacing)
            for one in volumes
        ]
        pooled: tuple[Float64, ...] = tuple(
            np.concatenate(side) for side in zip(*parts, strict=True)
        )
        return {**found, hausdorff: hausdorff95(pooled), average: average_surface_distance(pooled)}

    def _sizes(self, samples: Sequence[Sample]) -> dict[Key, float]:
        sizes = np.zeros((2, self.classes))
        for one in samples:
            for side, labels in enumerate((one.reference, one.predicted)):
                counts = np.bincount(labels.astype(np.intp).ravel(), minlength=self.classes)
                sizes[side] += counts * self.units.pixel(one.place)
        return {
            Key(name, f"class {kind}", self.units.size): float(sizes[side, kind])
            for kind in range(1, self.classes)
            for side, name in enumerate(("reference_size", "predicted_size"))
        }

    def _over_classes(self, values: dict[Key, float]) -> dict[Key, float]:
        """Returns the means over the classes that count, where there are several."""
        if self.classes <= 2:
            return {}
        found: dict[Key, float] = {}
        for name in _OF_ALL_CLASSES:
            of_classes = [key for key in values if key.name == name]
            mean = _mean([values[key] for key in of_classes])
            found[Key(name, "", of_classes[0].unit)] = mean
        return found

    def _agreement(self, kind: int) -> Agreement:
        subject, unit = f"class {kind}", self.units.size
        sides = [
            np.array([case.values[Key(name, subject, unit)] for case in self._cases])
            for name in ("reference_size", "predicted_size")
        ]
        return Agreement(subject, unit, *sides)


def _mean(values: Sequence[float]) -> float:
    """Returns the mean of what is defined."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan
