"""How well two regions agree: overlaps from counts, distances between surfaces.

Reference: Taha and Hanbury, Metrics for evaluating 3D medical image segmentation, 2015; surfaces
and distances as in MedPy 0.5.2 (`hd95`, `assd`).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.evaluation.measures import Float64

Bools = NDArray[np.bool_]

OVERLAPS = ("dice", "iou", "precision", "recall", "matthews", "volume_difference")


def confusion_of(
    reference: NDArray[Any], predicted: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """Returns how many pixels have each pair of classes, int64 (classes, classes).

    Args:
        reference: Classes 0..classes-1, the rows of the result.
        predicted: The same, its columns.
        classes: Number of classes.
    """
    pairs = reference.astype(np.intp).ravel() * classes + predicted.astype(np.intp).ravel()
    counts = np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def overlaps(confusion: NDArray[np.int64], kind: int) -> dict[str, float]:
    """Returns the agreement of one class, by the names in `OVERLAPS`.

    `volume_difference` is relative to the reference, above 0 where too much is predicted. A class
    that neither map holds is not defined, NaN. Where one of them lacks it, all are 0, but the
    difference: -1 without prediction, infinite without reference.

    Differs: DLAE 1.0 took the difference the other way round and gave 0 to a class that neither
    holds (section 10.2).

    Args:
        confusion: Of `confusion_of`.
        kind: The class.
    """
    total = int(confusion.sum())
    both = int(confusion[kind, kind])
    wanted, found = int(confusion[kind].sum()), int(confusion[:, kind].sum())
    if not wanted and not found:
        return dict.fromkeys(OVERLAPS, math.nan)
    if not wanted or not found:
        difference = -1.0 if wanted else math.inf
        return {**dict.fromkeys(OVERLAPS, 0.0), "volume_difference": difference}
    neither = total - wanted - found + both
    # Whole numbers of any size: the product of four counts does not fit 64 bits.
    scale = math.isqrt(wanted * found * (total - wanted) * (total - found) << 64) / (1 << 32)
    product = both * neither - (found - both) * (wanted - both)
    return {
        "dice": 2 * both / (wanted + found),
        "iou": both / (wanted + found - both),
        "precision": both / found,
        "recall": both / wanted,
        "matthews": product / scale if scale else 0.0,
        "volume_difference": (found - wanted) / wanted,
    }


def surface_distances(one: Bools, other: Bools, spacing: Sequence[float]) -> tuple[Float64, ...]:
    """Returns how far each point of one surface is from the other, and the other way round.

    A region's surface is its pixels that touch the outside, the image's border included, with a
    side. Empty where one of the regions is.

    Args:
        one: (*space,).
        other: (*space,).
        spacing: Length of a pixel along each axis.
    """
    if not one.any() or not other.any():
        return np.empty(0), np.empty(0)
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - comes with an extra

    # Outside of both regions there is nothing to measure.
    box = _around(one | other)
    surfaces = [_surface(region[box]) for region in (one, other)]
    to_first, to_second = (
        distance_transform_edt(~surface, sampling=spacing) for surface in surfaces
    )
    return to_second[surfaces[0]], to_first[surfaces[1]]


def hausdorff95(distances: tuple[Float64, ...]) -> float:
    """Returns the 95th percentile of the distances of both surfaces; infinite without any."""
    together = np.concatenate(distances)
    return float(np.percentile(together, 95)) if len(together) else math.inf


def average_surface_distance(distances: tuple[Float64, ...]) -> float:
    """Returns the mean of the distances of both surfaces; infinite without any."""
    together = np.concatenate(distances)
    return float(together.mean()) if len(together) else math.inf


def _around(region: Bools) -> tuple[slice, ...]:
    """Returns the smallest part of an array that holds a region."""
    found = []
    for axis in range(region.ndim):
        rest = tuple(other for other in range(region.ndim) if other != axis)
        places = np.flatnonzero(region.any(axis=rest))
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(found)


def _surface(region: Bools) -> Bools:
    from scipy.ndimage import binary_erosion  # noqa: PLC0415 - as above

    surface: Bools = region & ~binary_erosion(region)
    return surface
