"""Where pixels lie: lengths in mm, and slices put back into their volumes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlae_core.data.source import SampleFile
from dlae_core.data.spacing import spacing_of
from dlae_core.evaluation.result import Numbers, Place, Sample

_ML = 1000.0


@dataclass(frozen=True)
class Volume:
    """A sample, or neighbouring slices as one array.

    Attributes:
        predicted: Labels, (*space,).
        reference: Labels, (*space,).
        spacing: Along each axis; of lengths 1 where lengths are pixels.
    """

    predicted: Numbers
    reference: Numbers
    spacing: tuple[float, ...]


@dataclass(frozen=True)
class Units:
    """In what lengths and sizes are told, the same for all samples.

    Attributes:
        mm: Whether lengths are mm, else pixels.
        stacked: Whether slices are put back into volumes, so that sizes are those of volumes.
        axes: Space axes of a sample.
    """

    mm: bool
    stacked: bool
    axes: int

    @classmethod
    def of(cls, places: Iterable[Place], axes: int, grouped: bool) -> "Units":
        """Returns mm where the spacing of every sample is known."""
        known = list(places)
        mm = all(len(place.spacing) == axes for place in known)
        stacked = grouped and axes == 2 and mm and all(_is_slice(place) for place in known)
        return cls(mm, stacked, axes)

    @property
    def length(self) -> str:
        """Unit of lengths."""
        return "mm" if self.mm else "pixels"

    @property
    def size(self) -> str:
        """Unit of areas and volumes."""
        if not self.mm:
            return "pixels"
        return "ml" if self.axes == 3 or self.stacked else "mm2"

    def pixel(self, place: Place) -> float:
        """Returns the size of a pixel."""
        if not self.mm:
            return 1.0
        step = place.step if self.stacked else 1.0
        return float(np.prod(place.spacing)) * step / (_ML if self.size == "ml" else 1.0)

    def spacing(self, place: Place) -> tuple[float, ...]:
        """Returns the length of a pixel along each axis of a sample."""
        return place.spacing if self.mm else (1.0,) * self.axes

    def volumes(self, samples: Sequence[Sample]) -> list[Volume]:
        """Returns samples as they are, or neighbouring slices of one series as one volume."""
        if not self.stacked:
            return [
                Volume(one.predicted, one.reference, self.spacing(one.place)) for one in samples
            ]
        return [self._stack(run) for run in _runs(samples)]

    def _stack(self, run: Sequence[Sample]) -> Volume:
        spacing = (*run[0].place.spacing, run[0].place.step)
        predicted = np.stack([one.predicted for one in run], axis=-1)
        return Volume(predicted, np.stack([one.reference for one in run], axis=-1), spacing)


def place_of(files: Sequence[SampleFile], name: str) -> Place:
    """Returns where the pixels of a sample lie, from the first file that tells.

    The attributes are those that `dlae-client data pack` writes: `spacing_mm`, and of slices
    `source`, `slice` and an `affine` whose third column is the step to the next one.
    """
    for file in files:
        spacing = spacing_of(file, name)
        if spacing:
            series, step = file.attribute(name, "source"), _step(file.attribute(name, "affine"))
            number = file.attribute(name, "slice")
            if number is None or series is None:
                return Place(spacing)
            return Place(spacing, str(series), int(number), step)
    return Place()


def _step(value: Any) -> float:
    affine = np.asarray(np.nan if value is None else value)
    if affine.shape != (4, 4) or affine.dtype.kind not in "iuf":
        return 0.0
    length = float(np.linalg.norm(affine[:3, 2]))
    return length if np.isfinite(length) else 0.0


def _is_slice(place: Place) -> bool:
    return bool(place.series) and place.step > 0


def _runs(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Returns slices that follow each other in one series."""
    runs: list[list[Sample]] = []
    for one in sorted(samples, key=lambda sample: (sample.place.series, sample.place.slice)):
        last = runs[-1][-1] if runs else None
        if last is not None and _follows(last, one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _follows(last: Sample, one: Sample) -> bool:
    before, place = last.place, one.place
    return (
        (before.series, before.slice + 1) == (place.series, place.slice)
        and (before.spacing, before.step) == (place.spacing, place.step)
        and last.reference.shape == one.reference.shape
    )
