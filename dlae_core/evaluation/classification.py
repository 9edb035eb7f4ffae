"""Classes of images: confusion, ranking, calibration.

Values equal those of scikit-learn. They are counted here, for all resamples of the bootstrap at
once, since two thousand calls for each number would take minutes.

Reference: Fawcett, An introduction to ROC analysis, 2006; Guo et al., On calibration of modern
neural networks, 2017 (expected calibration error).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlae_core.evaluation.measures import Bootstrap, Float64, Key, Statistics, measure, ratio
from dlae_core.evaluation.result import Case, Result, Sample, Scores

BINS = 15
_TOLERANCE = 1e-3
_NO_PROBABILITIES = (
    "the outputs are no probabilities that add up to 1, so that nothing is said about calibration"
)


@dataclass
class Classification:
    """Evaluates classes of images.

    Attributes:
        classes: Number of classes.
    """

    classes: int
    _cases: list[Case] = field(default_factory=list)
    _rows: list[Float64] = field(default_factory=list)
    _reference: list[int] = field(default_factory=list)
    _groups: int = 0

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds samples that belong together: outputs (classes,), references one class number."""
        for one in samples:
            row, wanted = np.asarray(one.predicted, np.float64), int(one.reference.item())
            self._rows.append(row)
            self._reference.append(wanted)
            found = int(row.argmax())
            values = {
                Key("reference"): float(wanted),
                Key("predicted"): float(found),
                Key("correct"): float(found == wanted),
            }
            values |= {Key("output", f"class {kind}"): float(row[kind]) for kind in range(len(row))}
            self._cases.append(Case((one.name,), values, self._groups, float(row[wanted])))
        self._groups += 1

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        reference = np.array(self._reference, np.intp)
        probabilities = np.array(self._rows, np.float64).reshape(len(reference), -1)
        owners = np.array([case.group for case in self._cases], np.intp)
        calibrated = are_probabilities(probabilities)
        statistics = [
            _decisions(reference, probabilities.argmax(axis=1), owners, self.classes),
            _rankings(reference, probabilities, owners),
        ]
        if calibrated:
            statistics.append(_calibration(reference, probabilities, owners))
        predicted = probabilities.argmax(axis=1)
        cells = np.bincount(reference * self.classes + predicted, minlength=self.classes**2)
        return Result(
            cases=tuple(self._cases),
            measures=measure(statistics, self._groups, bootstrap),
            notes=() if calibrated else (_NO_PROBABILITIES,),
            confusion=cells.reshape(self.classes, self.classes).astype(np.int64),
            scores=Scores(probabilities, reference),
        )


def are_probabilities(rows: Float64) -> bool:
    """Returns whether outputs (samples, classes) are at least 0 and add up to 1."""
    return bool((rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) < _TOLERANCE).all())


def positives(classes: int) -> range:
    """Returns the classes that numbers are told of: of two classes, the second only."""
    return range(1, 2) if classes == 2 else range(classes)


def _decisions(
    reference: NDArray[np.intp], predicted: NDArray[np.intp], owners: NDArray[np.intp], classes: int
) -> Statistics:
    """Returns what follows from the confusion matrix.

    `balanced_accuracy` is the mean sensitivity of the classes that occur; `f1` without a class is
    the mean over all classes that occur or are predicted.
    """
    kinds = positives(classes)
    names = ("sensitivity", "specificity", "precision", "f1")
    keys = [Key("accuracy"), Key("balanced_accuracy"), Key("f1")]
    keys += [Key(name, f"class {kind}") for name in names for kind in kinds]
    wanted, found = (np.eye(classes)[one] for one in (reference, predicted))

    def of(weights: Float64) -> Float64:
        total = weights.sum(axis=1, keepdims=True)
        true, taken, both = weights @ wanted, weights @ found, weights @ (wanted * found)
        sensitivity = ratio(both, true)
        f1 = ratio(2 * both, true + taken)
        of_classes = (
            sensitivity,
            ratio(total - true - taken + both, total - true),
            ratio(both, taken),
            f1,
        )
        columns = [
            ratio(both.sum(axis=1), total[:, 0]),
            _mean_of_defined(sensitivity),
            _mean_of_defined(f1),
        ]
        columns += [one[:, kind] for one in of_classes for kind in kinds]
        return np.stack(columns, axis=1)

    return Statistics(tuple(keys), owners, of, (len(reference),) * len(keys))


def _rankings(
    reference: NDArray[np.intp], outputs: Float64, owners: NDArray[np.intp]
) -> Statistics:
    """Returns areas under the ROC curves and average precisions, each class against the rest."""
    kinds = positives(outputs.shape[1])
    ranked = [Ranking(outputs[:, kind], reference == kind) for kind in kinds]
    keys = [Key(name, f"class {kind}") for name in ("auc", "average_precision") for kind in kinds]
    several = len(kinds) > 1
    keys = [Key("auc"), Key("average_precision"), *keys] if several else keys

    def of(weights: Float64) -> Float64:
        both = [one.areas(weights) for one in ranked]
        roc, precision = (np.stack([pair[which] for pair in both], axis=1) for which in (0, 1))
        means = [_mean_of_defined(roc)[:, None], _mean_of_defined(precision)[:, None]]
        return np.concatenate([*(means if several else []), roc, precision], axis=1)

    return Statistics(tuple(keys), owners, of, (len(reference),) * len(keys))


def _calibration(
    reference: NDArray[np.intp], probabilities: Float64, owners: NDArray[np.intp]
) -> Statistics:
    """Returns Brier score, logarithmic loss and expected calibration error.

    The Brier score is the mean over samples of the squared error summed over classes; of two
    classes, half of that, as is usual.
    """
    keys = (Key("brier"), Key("log_loss"), Key("calibration_error"))
    rows = np.arange(len(reference))
    squares = ((probabilities - np.eye(probabilities.shape[1])[reference]) ** 2).sum(axis=1)
    squares /= 2 if probabilities.shape[1] == 2 else 1
    least = np.finfo(probabilities.dtype).eps
    losses = -np.log(np.clip(probabilities[rows, reference], least, 1))
    confidence = probabilities.max(axis=1)
    bins = np.eye(BINS)[bins_of(confidence)]
    gaps = bins * (confidence - (probabilities.argmax(axis=1) == reference))[:, np.newaxis]

    def of(weights: Float64) -> Float64:
        total = weights.sum(axis=1)
        error = np.abs(weights @ gaps).sum(axis=1)
        return np.stack(
            [ratio(one, total) for one in (weights @ squares, weights @ losses, error)], 1
        )

    return Statistics(keys, owners, of, (len(reference),) * len(keys))


def bins_of(confidence: Float64) -> NDArray[np.intp]:
    """Returns the bin of each confidence, of fifteen from 0 to 1, the upper end included."""
    return np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)


class Ranking:
    """Samples ordered by a score, to tell a class from the rest."""

    def __init__(self, scores: Float64, positive: NDArray[np.bool_]) -> None:
        """Sorts.

        Args:
            scores: (samples,), high for the class.
            positive: Which samples are of the class.
        """
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._positive = positive[self._order]
        # The last sample of each score: equal scores are decided together.
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))

    def areas(self, weights: Float64) -> tuple[Float64, Float64]:
        """Returns area under the ROC curve and average precision, (draws,) each.

        NaN where a draw lacks one of the sides; of precision, where it lacks the class.

        Args:
            weights: How often each sample counts, (draws, samples).
        """
        drawn = weights[:, self._order]
        hits = np.cumsum(drawn * self._positive, axis=1)[:, self._ends]
        alarms = np.cumsum(drawn * ~self._positive, axis=1)[:, self._ends]
        rises, steps = np.diff(hits, prepend=0.0), np.diff(alarms, prepend=0.0)
        area = (steps * (hits - rises / 2)).sum(axis=1)
        precision = np.nan_to_num(ratio(hits, hits + alarms))
        below = hits[:, -1]
        return ratio(area, below * alarms[:, -1]), ratio((rises * precision).sum(axis=1), below)


def _mean_of_defined(values: Float64) -> Float64:
    """Returns the means over the classes, (draws,), of what is defined."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))
