"""What was read from files: an array, and where it lies in space."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

Float64 = NDArray[np.float64]

# Corners of two grids may lie this far apart, in voxels, and the grids still are the same.
_SAME_VOXELS = 0.25
# Volume of a voxel below which a matrix is no orientation, in mm^3.
_FLAT = 1e-12
# From the patient's axes of NIfTI (right, anterior, superior) to those of DICOM and back.
_OTHER_FRAME = np.diag([-1.0, -1.0, 1.0, 1.0])
_DIRECTIONS = {"RAS": ("LR", "PA", "IS"), "LPS": ("RL", "AP", "IS")}


@dataclass(frozen=True)
class Volume:
    """An image or a label map as read, with what its file says about space and origin.

    Attributes:
        array: (rows, cols[, slices][, channels]) as stored in the file, or a single number.
        axes: Space axes, 2 or 3; the rest are channels. None where the file does not tell.
        affine: float64 (4, 4), array indices of the space axes to mm; None where not known. The
            third column of a plane is its normal.
        frame: `RAS` or `LPS`: the patient's directions in which the mm count.
        spacing_mm: Along each space axis; empty where not known.
        patient: Who is shown, as the file names it. Never stored.
        series: What the file is, as it names itself. Never stored.
        notes: What a user should know about such files.
    """

    array: Array
    axes: int | None = None
    affine: Float64 | None = None
    frame: str = ""
    spacing_mm: tuple[float, ...] = ()
    patient: str = ""
    series: str = ""
    notes: tuple[str, ...] = ()

    @property
    def space(self) -> tuple[int, ...]:
        """Lengths of the space axes; all where it is not known how many they are."""
        return self.array.shape[: self.axes]

    def attributes(self) -> dict[str, Any]:
        """Returns what is stored beside the array."""
        known: dict[str, Any] = {}
        if self.spacing_mm:
            known["spacing_mm"] = np.asarray(self.spacing_mm, np.float64)
        if self.affine is not None:
            known |= {"affine": self.affine, "frame": self.frame}
        return known

    def orientation(self) -> str:
        """Returns towards where the space axes point, as `RAS`; empty where it is not known."""
        if self.affine is None:
            return ""
        letters = ""
        for column in self.affine[:3, : self.axes].T:
            axis = int(np.argmax(np.abs(column)))
            letters += _DIRECTIONS[self.frame][axis][int(column[axis] > 0)]
        return letters

    def planes(self, axis: int) -> Iterator["Volume"]:
        """Yields the planes across a space axis, one by one."""
        kept = [place for place in range(3) if place != axis]
        spacing = tuple(self.spacing_mm[place] for place in kept) if self.spacing_mm else ()
        for index in range(self.array.shape[axis]):
            affine = None
            if self.affine is not None:
                affine = self.affine[:, [*kept, axis, 3]].copy()
                affine[:3, 3] += index * self.affine[:3, axis]
            plane = np.ascontiguousarray(self.array.take(index, axis))
            yield replace(self, array=plane, axes=2, affine=affine, spacing_mm=spacing)


def checked_affine(affine: Float64) -> Float64:
    """Returns a matrix that maps indices to mm.

    Raises:
        UnusableDataset: It maps different indices to the same place.
    """
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < _FLAT:
        raise UnusableDataset(["expected an orientation, got a matrix that folds space"])
    return affine


def spacing_of(affine: Float64, axes: int) -> tuple[float, ...]:
    """Returns the distance of neighbours along each space axis, in mm."""
    return tuple(float(np.linalg.norm(column)) for column in affine[:3, :axes].T)


@dataclass(frozen=True)
class Grid:
    """The space of an image, for an annotation to lie in.

    Attributes:
        shape: Whole shape of its array.
        axes: Space axes; None where it is not known.
        affine: As of the volume.
        frame: As of the volume.
    """

    shape: tuple[int, ...]
    axes: int | None
    affine: Float64 | None
    frame: str

    @classmethod
    def of(cls, volume: Volume) -> "Grid":
        """Returns the space of a volume."""
        return cls(volume.array.shape, volume.axes, volume.affine, volume.frame)


def on_grid(volume: Volume, grid: Grid) -> Volume:
    """Returns a label map with its axes ordered and directed as those of its image.

    Nothing is interpolated: where both files tell where their voxels lie, the axes are exchanged
    and reversed as needed, else the array is taken as it is.

    Raises:
        UnusableDataset: It lies on another grid, or has another shape.
    """
    turned = volume
    if volume.affine is not None and grid.affine is not None and volume.axes == grid.axes == 3:
        turned = replace(volume, array=_turned(volume, grid))
    if not _is_shape_of(turned.array.shape, grid):
        got = " x ".join(map(str, turned.array.shape))
        wanted = " x ".join(map(str, grid.shape[: grid.axes]))
        raise UnusableDataset([f"expected the {wanted} pixels of its image, got {got}"])
    return turned


def _is_shape_of(shape: tuple[int, ...], grid: Grid) -> bool:
    whole, axes = grid.shape, grid.axes
    if axes is not None:
        return shape[:axes] == whole[:axes]
    # Its last axis may be channels, which a label map has none of.
    return shape in (whole, whole[:-1]) and len(shape) >= 2


def _turned(volume: Volume, grid: Grid) -> Array:
    """Returns the array with the axes of a grid, where its voxels are those of the grid."""
    assert volume.affine is not None
    assert grid.affine is not None
    affine = volume.affine if volume.frame == grid.frame else _OTHER_FRAME @ volume.affine
    # From indices of the array to indices of the grid.
    between = np.linalg.inv(grid.affine) @ affine
    lengths = volume.array.shape[:3]
    corners = np.array(list(itertools.product(*((0, length - 1) for length in lengths)))).T
    there = between[:3, :3] @ corners + between[:3, 3:]
    order = np.argmax(np.abs(between[:3, :3]), axis=1).tolist()
    backwards = [bool(between[axis, source] < 0) for axis, source in enumerate(order)]
    wanted = np.array(
        [
            lengths[source] - 1 - corners[source] if reverse else corners[source]
            for source, reverse in zip(order, backwards, strict=True)
        ]
    )
    if len(set(order)) < 3 or not np.abs(there - wanted).max() < _SAME_VOXELS:
        message = "its voxels are not those of its image; resample it onto the image first"
        raise UnusableDataset([message])
    array = volume.array.transpose(*order, *range(3, volume.array.ndim))
    reversed_axes = tuple(axis for axis, reverse in enumerate(backwards) if reverse)
    return np.ascontiguousarray(np.flip(array, reversed_axes))
