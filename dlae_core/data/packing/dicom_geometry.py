"""The slices of a DICOM series in their order in space.

Reference: DICOM PS3.3, C.7.6.2 Image Plane Module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.packing.volume import Float64, checked_affine
from dlae_core.errors import UnusableDataset

# Part of the distance between slices by which it may vary: scanners round positions.
_EVEN = 0.1
# Directions are printed with few digits.
_SAME_DIRECTION = 1e-3
_NAMED = 3


@dataclass(frozen=True)
class Plane:
    """Where one slice lies.

    Attributes:
        path: Its file.
        shape: Rows and columns.
        position: Of the first pixel's centre, in mm, LPS.
        directions: Of growing columns, then of growing rows; unit vectors.
        spacing: Between rows, then between columns, in mm.
        thickness: Of the slice, in mm; 0 where it is not known.
    """

    path: Path
    shape: tuple[int, int]
    position: tuple[float, ...]
    directions: tuple[float, ...]
    spacing: tuple[float, ...]
    thickness: float = 0.0

    @property
    def normal(self) -> Float64:
        """Unit vector across the plane."""
        across, down = np.reshape(np.asarray(self.directions, np.float64), (2, 3))
        normal: Float64 = np.cross(across, down)
        return normal


@dataclass(frozen=True)
class Stack:
    """Slices in order.

    Attributes:
        paths: Files, in the direction of the third axis.
        affine: float64 (4, 4), (row, column, slice) to mm, LPS.
    """

    paths: tuple[Path, ...]
    affine: Float64


def stacked(planes: Sequence[Plane]) -> Stack:
    """Returns slices in the order of their positions along the normal.

    Raises:
        UnusableDataset: They are not parallel and alike, not evenly spaced, or some are missing.
    """
    first = planes[0]
    for plane in planes[1:]:
        _check_alike(plane, first)
    order = np.argsort([np.dot(plane.position, first.normal) for plane in planes], kind="stable")
    ordered = [planes[place] for place in order]
    step = _step(ordered)
    across, down = np.reshape(np.asarray(first.directions, np.float64), (2, 3))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = down * first.spacing[0], across * first.spacing[1]
    affine[:3, 2], affine[:3, 3] = step, ordered[0].position
    return Stack(tuple(plane.path for plane in ordered), checked_affine(affine))


def _check_alike(plane: Plane, first: Plane) -> None:
    rules = (
        ("the same rows and columns", plane.shape == first.shape),
        ("parallel slices", _close(plane.directions, first.directions, _SAME_DIRECTION)),
        ("the same PixelSpacing", _close(plane.spacing, first.spacing, _SAME_DIRECTION)),
    )
    for what, holds in rules:
        if not holds:
            message = f"expected {what} in a series, but {plane.path.name} and {first.path.name} "
            raise UnusableDataset([message + "differ (is a localizer among them?)"])


def _step(planes: Sequence[Plane]) -> Float64:
    """Returns the way from one slice to the next; across a single slice, its normal."""
    normal = planes[0].normal
    if len(planes) == 1:
        return normal * (planes[0].thickness or 1.0)
    positions = np.asarray([plane.position for plane in planes], np.float64)
    distances = np.diff(positions @ normal)
    _check_complete(planes, distances)
    step: Float64 = (positions[-1] - positions[0]) / (len(planes) - 1)
    even = positions[0] + np.arange(len(planes))[:, np.newaxis] * step
    if np.linalg.norm(positions - even, axis=1).max() > _EVEN * np.linalg.norm(step):
        low, high = distances.min(), distances.max()
        message = f"expected evenly spaced slices, got distances from {low:g} to {high:g} mm"
        raise UnusableDataset([message])
    return step


def _check_complete(planes: Sequence[Plane], distances: Float64) -> None:
    """Checks that there is one slice at each position, and one at each that there should be."""
    usual = float(np.median(distances))
    doubled = np.flatnonzero(distances <= _EVEN * usual)
    if len(doubled):
        message = "expected one slice at each position, got several (time points, echoes or copies)"
        raise UnusableDataset([f"{message}: {_names(planes, doubled)}"])
    steps = np.rint(distances / usual)
    if (steps > 1).any() and (np.abs(distances - steps * usual) <= _EVEN * usual * steps).all():
        gap = int(np.argmax(steps > 1))
        message = (
            f"expected slices every {usual:g} mm, but {int((steps - 1).sum())} are missing: the "
            f"first gap is {distances[gap]:g} mm, after {planes[gap].path.name}"
        )
        raise UnusableDataset([message])


def _names(planes: Sequence[Plane], places: NDArray[np.intp]) -> str:
    pairs = [f"{planes[place].path.name} and {planes[place + 1].path.name}" for place in places]
    return ", ".join(pairs[:_NAMED]) + (", ..." if len(pairs) > _NAMED else "")


def _close(one: tuple[float, ...], two: tuple[float, ...], tolerance: float) -> bool:
    return len(one) == len(two) and bool(np.allclose(one, two, rtol=tolerance, atol=tolerance))
