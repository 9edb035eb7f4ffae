"""Free-response receiver operating characteristic: objects found against false alarms per image.

Reference: Bunch et al., A free-response approach to the measurement and characterization of
radiographic-observer performance, 1978; Setio et al., Validation, comparison, and combination of
algorithms for automatic detection of pulmonary nodules (LUNA16), 2017.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.detection.boxes import Float64, all_overlaps

Rows = Sequence[NDArray[Any]]

# False alarms per image at which LUNA16 asks for the sensitivity.
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_NEVER = -np.inf


@dataclass(frozen=True)
class Froc:
    """The curve, from no box to all boxes.

    Attributes:
        false_alarms: Per image, rising, float64 (points,).
        sensitivities: Share of the objects that are found, rising; NaN without objects.
    """

    false_alarms: Float64
    sensitivities: Float64

    def at(self, rates: Sequence[float] = RATES) -> Float64:
        """Returns sensitivities at false alarms per image, linear between points, (rates,).

        Where boxes end before a rate is reached, that of all boxes.
        """
        return np.interp(rates, self.false_alarms, self.sensitivities)


def froc(found: Rows, truth: Rows, minimum_overlap: float = 0.5) -> Froc:
    """Returns the curve of all classes together.

    An object is found with the confidence of the surest box of its class that overlaps it by
    enough. A box is a false alarm if it overlaps no object of its class by enough; further boxes on
    one object are none.

    Args:
        found: Per image class, confidence, xmin, ymin, xmax, ymax, (boxes, 6).
        truth: Per image class, xmin, ymin, xmax, ymax, (objects, 5), in the same units.
        minimum_overlap: Intersection over union from which a box finds an object.
    """
    images = list(judged_images(found, truth, minimum_overlap))
    sure = np.concatenate([np.empty(0), *(of_objects for of_objects, _ in images)])
    wrong = np.concatenate([np.empty(0), *(of_alarms for _, of_alarms in images)])
    levels = np.unique(np.concatenate([sure[sure > _NEVER], wrong]))[::-1]
    alarms = np.concatenate([[0], _reaching(wrong, levels)]) / max(1, len(images))
    hits = np.concatenate([[0], _reaching(sure, levels)])
    return Froc(alarms, hits / len(sure) if len(sure) else np.full(len(hits), np.nan))


def judged_images(
    found: Rows, truth: Rows, minimum_overlap: float
) -> Iterator[tuple[Float64, Float64]]:
    """Yields, per image, the confidence with which each object is found, and those of false alarms.

    Of an object that is not found, -infinity. Arguments are those of `froc`.
    """
    for boxes, objects in zip(found, truth, strict=True):
        overlap = all_overlaps(boxes[:, 2:].astype(np.float64), objects[:, 1:].astype(np.float64))
        hits = (overlap >= minimum_overlap) & (boxes[:, :1] == objects[:, 0])
        confidences = boxes[:, 1].astype(np.float64)
        by_object = np.where(hits, confidences[:, np.newaxis], _NEVER)
        yield by_object.max(axis=0, initial=_NEVER), confidences[~hits.any(axis=1)]


def _reaching(confidences: Float64, levels: Float64) -> NDArray[np.intp]:
    """Returns how many confidences reach each level."""
    return len(confidences) - np.searchsorted(np.sort(confidences), levels)
