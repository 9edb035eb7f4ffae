"""Detected boxes against objects: average precision as COCO has it, FROC, counts.

See `dlae_core.detection` for the definitions; here they are taken for all resamples at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.average_precision import COCO_OVERLAPS, judged_boxes
from dlae_core.detection.froc import RATES, froc, judged_images
from dlae_core.evaluation.measures import Bootstrap, Float64, Key, Statistics, measure, ratio
from dlae_core.evaluation.result import Case, Curve, Numbers, Result, Sample

MINIMUM_OVERLAP = 0.5
_RECALLS = np.linspace(0, 1, 101)


@dataclass
class Boxes:
    """Evaluates detections.

    Attributes:
        classes: Kinds of object, numbered from 1.
        confidence: Boxes above it are counted as found objects and false alarms; average precision
            and FROC take all boxes.
    """

    classes: int
    confidence: float = 0.0
    _cases: list[Case] = field(default_factory=list)
    _found: list[Numbers] = field(default_factory=list)
    _truth: list[Numbers] = field(default_factory=list)
    _groups: int = 0

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds samples that belong together.

        Predictions are class, confidence, xmin, ymin, xmax, ymax, (boxes, 6); references are class,
        xmin, ymin, xmax, ymax, (objects, 5).
        """
        for one in samples:
            found, truth = one.predicted, one.reference
            self._found.append(found)
            self._truth.append(truth)
            sure = [found[found[:, 1] > self.confidence]]
            ((of_objects, alarms),) = judged_images(sure, [truth], MINIMUM_OVERLAP)
            hits = int(np.isfinite(of_objects).sum())
            missed = len(of_objects) - hits
            values = {
                Key("objects"): float(len(of_objects)),
                Key("found"): float(hits),
                Key("missed"): float(missed),
                Key("false_alarms"): float(len(alarms)),
            }
            together = 2 * hits + missed + len(alarms)
            quality = 2 * hits / together if together else 1.0
            self._cases.append(Case((one.name,), values, self._groups, quality))
        self._groups += 1

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        owners = np.array([case.group for case in self._cases], np.intp)
        kinds = [_Kind.of(self._found, self._truth, kind) for kind in range(1, self.classes + 1)]
        statistics = [
            _precisions(kinds, owners),
            self._froc(owners),
            _counts(self._cases, owners),
        ]
        curve = froc(self._found, self._truth, MINIMUM_OVERLAP)
        return Result(
            cases=tuple(self._cases),
            measures=measure(statistics, self._groups, bootstrap),
            curves=tuple(
                one.curve(f"class {number}") for number, one in enumerate(kinds, 1) if one.known
            ),
            froc=Curve("all classes", curve.false_alarms, curve.sensitivities),
        )

    def _froc(self, owners: NDArray[np.intp]) -> Statistics:
        """Returns the sensitivities at LUNA16's rates of false alarms, and their mean."""
        images = list(judged_images(self._found, self._truth, MINIMUM_OVERLAP))
        sure, of_object = _joined([one for one, _ in images])
        wrong, of_alarm = _joined([one for _, one in images])
        levels = np.unique(np.concatenate([sure[np.isfinite(sure)], wrong]))[::-1]
        hit_levels, alarm_levels = (
            np.searchsorted(-levels, -one, side="left") for one in (sure, wrong)
        )

        def of(weights: Float64) -> Float64:
            hits = _reaching(weights[:, of_object], hit_levels, len(levels))
            alarms = _reaching(weights[:, of_alarm], alarm_levels, len(levels))
            shares = ratio(hits, weights[:, of_object].sum(axis=1, keepdims=True))
            rates = alarms / weights.sum(axis=1, keepdims=True)
            pairs = zip(rates, shares, strict=True)
            found = np.array([np.interp(RATES, rate, share) for rate, share in pairs])
            return np.concatenate([found.mean(axis=1, keepdims=True), found], axis=1)

        keys = [Key("froc"), *(Key("sensitivity", f"at {rate:g} false alarms") for rate in RATES)]
        width = len(sure) + len(wrong) + len(levels)
        return Statistics(tuple(keys), owners, of, (len(owners),) * len(keys), width=width)


@dataclass(frozen=True)
class _Kind:
    """The boxes of one class in all images, the most confident first.

    Attributes:
        hits: Whether each finds an object, bool (overlaps, boxes).
        images: Image of each box, intp (boxes,).
        objects: Objects in each image, float64 (images,).
    """

    hits: NDArray[np.bool_]
    images: NDArray[np.intp]
    objects: Float64

    @classmethod
    def of(cls, found: Sequence[Numbers], truth: Sequence[Numbers], kind: int) -> "_Kind":
        overlaps = np.array(COCO_OVERLAPS)
        boxes, objects = (
            [image[image[:, 0] == kind, 1:] for image in rows] for rows in (found, truth)
        )
        judged = [
            judged_boxes([one], [other], overlaps)
            for one, other in zip(boxes, objects, strict=True)
        ]
        confidences, images = _joined([sure for _, sure in judged])
        order = np.argsort(-confidences, kind="stable")
        hits = np.concatenate([hit for hit, _ in judged], axis=1)
        counts = np.array([len(one) for one in objects], np.float64)
        return cls(hits[:, order], images[order], counts)

    @property
    def known(self) -> bool:
        """Whether there is an object of the class."""
        return bool(self.objects.any())

    def precisions(self, weights: Float64) -> Float64:
        """Returns average precisions, (draws, overlaps); NaN for draws without objects."""
        count = weights @ self.objects
        drawn = weights[:, self.images]
        boxes = np.cumsum(drawn, axis=1)
        found = np.full((len(weights), len(self.hits)), np.nan)
        for level, hits in enumerate(self.hits):
            # Precision is best where a box is right.
            right = np.cumsum(drawn[:, hits], axis=1)
            precision = np.nan_to_num(ratio(right, boxes[:, hits]))
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            for draw in np.flatnonzero(count):
                reached = np.searchsorted(right[draw] / count[draw], _RECALLS)
                found[draw, level] = np.append(best[draw], 0)[reached].mean()
        return found

    def curve(self, title: str) -> Curve:
        """Returns precision against recall at the least overlap."""
        right = np.cumsum(self.hits[0])
        precision = right / np.arange(1, len(right) + 1)
        return Curve(title, right / self.objects.sum(), precision)


def _precisions(kinds: Sequence[_Kind], owners: NDArray[np.intp]) -> Statistics:
    """Returns COCO's mean average precision, that at an overlap of 0.5, and both by class."""
    numbers = [number for number, kind in enumerate(kinds, 1) if kind.known]
    known = [kind for kind in kinds if kind.known]
    keys = [Key("map"), Key("map50")]
    keys += [Key("ap", f"class {number}") for number in numbers]
    keys += [Key("ap50", f"class {number}") for number in numbers]

    def of(weights: Float64) -> Float64:
        shape = (len(weights), 0, len(COCO_OVERLAPS))
        found = [kind.precisions(weights)[:, np.newaxis] for kind in known]
        table = np.concatenate([np.empty(shape), *found], axis=1)
        of_all, of_half = table.mean(axis=2), table[..., 0]
        means = [_mean(of_all)[:, np.newaxis], _mean(of_half)[:, np.newaxis]]
        return np.concatenate([*means, of_all, of_half], axis=1)

    width = max([1, *(3 * len(kind.images) for kind in known)])
    return Statistics(tuple(keys), owners, of, (len(owners),) * len(keys), width=width)


def _counts(cases: Sequence[Case], owners: NDArray[np.intp]) -> Statistics:
    """Returns sensitivity, precision and false alarms per image of the boxes that are sure."""
    names = ("objects", "found", "false_alarms")
    objects, found, alarms = (
        np.array([case.values[Key(name)] for case in cases], np.float64) for name in names
    )
    keys = (Key("sensitivity"), Key("precision"), Key("false_alarms", "per image"))

    def of(weights: Float64) -> Float64:
        wanted, hits, wrong = (weights @ one for one in (objects, found, alarms))
        columns = (ratio(hits, wanted), ratio(hits, hits + wrong), wrong / weights.sum(axis=1))
        return np.stack(columns, axis=1)

    return Statistics(keys, owners, of, (len(cases),) * len(keys))


def _joined(parts: Sequence[Float64]) -> tuple[Float64, NDArray[np.intp]]:
    """Returns numbers of all images, and the image of each."""
    images = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.concatenate([np.empty(0), *parts]), images


def _reaching(weights: Float64, levels: NDArray[np.intp], count: int) -> Float64:
    """Returns the weight at each level or above, from nothing on, (draws, count + 1).

    Args:
        weights: (draws, items).
        levels: Place of each item's level, from the highest; `count` for none.
        count: Number of levels.
    """
    found = np.zeros((count + 2, len(weights)))
    np.add.at(found, levels + 1, weights.T)
    return np.cumsum(found, axis=0)[:-1].T


def _mean(values: Float64) -> Float64:
    """Returns the means over classes, (draws,), of what is defined."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))
