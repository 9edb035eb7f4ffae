"""Packing: files of many kinds to the two HDF5 files of a data set."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlae_core.data.inspection import FEWEST_AXES, MOST_AXES, Problems, is_finite
from dlae_core.data.packing.annotating import Annotations, annotations_for, planes_of
from dlae_core.data.packing.finding import Item, find_items, missing_names
from dlae_core.data.packing.identity import pseudonym, short_pseudonym
from dlae_core.data.packing.recipe import Recipe
from dlae_core.data.packing.volume import Grid, Volume
from dlae_core.data.source import write_samples
from dlae_core.data.writing import NamedArray
from dlae_core.errors import StorageFailed, UnusableDataset

Progress = Callable[[str, int, int], None]
_NUMBERS = "biuf"


@dataclass
class Packed:
    """What was packed.

    Attributes:
        samples: Samples written.
        sources: Images or volumes that they come from.
        groups: Groups that they fall into; 0 where groups are not known.
        forms: How many images have which shape and type.
        classes: Number of each class that has a name, or another number, in the files.
        warnings: What a user should know.
        listing: Name, source and group of each sample, in clear: it may tell who is shown.
    """

    samples: int = 0
    sources: int = 0
    groups: int = 0
    forms: Counter[tuple[tuple[int, ...], str]] = field(default_factory=Counter)
    classes: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    listing: list[tuple[str, str, str]] = field(default_factory=list)


def pack(
    recipe: Recipe, images: Path, annotations: Path, progress: Progress | None = None
) -> Packed:
    """Writes images and annotations as two HDF5 files that appear whole or not at all.

    Datasets are named 0, 1, 2, ... Beside each array stand its `source` and, where it is known,
    its `group`, both as pseudonyms, and `spacing_mm`, `affine` and `frame` where the source tells
    them. Nothing else is taken over from the sources.

    Args:
        recipe: What to pack.
        images: File of the images.
        annotations: File of the annotations; not written where the recipe has none.
        progress: Called with what is being done, and how many of all sources are.

    Raises:
        UnusableDataset: Sources cannot be read or do not go together; every problem is named.
        StorageFailed: The disk is full or cannot be written.
    """
    recipe.check()
    found = find_items(recipe.sources, recipe.way())
    made = annotations_for(recipe, found.items)
    packing = _Packing(recipe, found.items, made, progress or (lambda *_: None))
    packing.packed.warnings += missing_names(
        [path.name for path in found.ignored], "files of other kinds are left out"
    )
    fresh = [path.with_name(f".{path.name}.{os.getpid()}") for path in (images, annotations)]
    try:
        write_samples(fresh[0], packing.images())
        packing.check()
        if made is not None:
            write_samples(fresh[1], packing.annotations(made), made.attributes())
            packing.check()
            _put(fresh[1], annotations)
        _put(fresh[0], images)
    finally:
        for path in fresh:
            with suppress(FileNotFoundError):
                path.unlink()
    return packing.finished()


@dataclass(frozen=True)
class _Written:
    """One source that has been written.

    Attributes:
        grid: Its space.
        attributes: Of each of the samples that it has become.
    """

    grid: Grid
    attributes: list[dict[str, Any]]


class _Packing:
    """One run. Problems are collected; after the first, nothing more is written, only read.

    Attributes:
        packed: What has been packed so far.
    """

    def __init__(
        self,
        recipe: Recipe,
        items: Sequence[Item],
        annotations: Annotations | None,
        progress: Progress,
    ) -> None:
        self._recipe, self._items, self._progress = recipe, items, progress
        self._written: list[_Written] = []
        self._problems = Problems()
        self._failed = False
        self._groups: set[str] = set()
        self._notes: Counter[str] = Counter()
        self._orientations: Counter[str] = Counter()
        self.packed = Packed(sources=len(items))
        if annotations is not None:
            self.packed.warnings += annotations.notes
            self.packed.classes = dict(annotations.classes)

    def images(self) -> Iterator[NamedArray]:
        """Yields the images."""
        for place, item in enumerate(self._items):
            self._progress("images", place, len(self._items))
            with self._collecting(item):
                yield from self._samples(item)

    def annotations(self, made: Annotations) -> Iterator[NamedArray]:
        """Yields the annotations of the images that have been written."""
        number = 0
        for place, (item, written) in enumerate(zip(self._items, self._written, strict=True)):
            self._progress("annotations", place, len(self._items))
            with self._collecting(item):
                volume = made.of(place, written.grid)
                planes = planes_of(volume, self._recipe, len(written.attributes))
                for plane, attributes in zip(planes, written.attributes, strict=True):
                    yield str(number), made.finish(plane), attributes
                    number += 1

    def check(self) -> None:
        """Raises the problems that there were."""
        problems = self._problems.sentences()
        if problems:
            raise UnusableDataset(problems)

    def finished(self) -> Packed:
        """Returns what has been packed."""
        packed = self.packed
        packed.groups = len(self._groups)
        packed.warnings += [f"{note} ({count} files)" for note, count in self._notes.items()]
        if len(self._orientations) > 1:
            kinds = ", ".join(f"{count} {name}" for name, count in self._orientations.items())
            packed.warnings.append(
                f"the axes of the images point into different directions: {kinds}"
            )
        return packed

    @contextmanager
    def _collecting(self, item: Item) -> Iterator[None]:
        try:
            yield
        except UnusableDataset as error:
            self._failed = True
            for problem in error.problems:
                self._problems.add("source", f"{item.path}: {problem}")

    def _samples(self, item: Item) -> Iterator[NamedArray]:
        volume = item.read()
        _check_image(volume)
        group = self._recipe.grouping.group(item.key, volume.patient)
        known = self._identity(item, volume, group)
        self._notes.update(volume.notes)
        if volume.orientation():
            self._orientations[volume.orientation()] += 1
        all_attributes: list[dict[str, Any]] = []
        for index, sample in enumerate(self._cut(volume)):
            place = {"slice": index} if self._recipe.slices else {}
            all_attributes.append({**sample.attributes(), **place, **known})
            name = str(self.packed.samples)
            self.packed.samples += 1
            self.packed.forms[sample.array.shape, str(sample.array.dtype)] += 1
            self.packed.listing.append((name, f"{item.path}", group))
            if not self._failed:
                yield name, sample.array, all_attributes[-1]
        self._written.append(_Written(Grid.of(volume), all_attributes))

    def _identity(self, item: Item, volume: Volume, group: str) -> dict[str, str]:
        salt = self._recipe.salt
        known = {"source": pseudonym(salt, "source", volume.series or item.key)}
        if group:
            known["group"] = short_pseudonym(salt, "group", group)
            self._groups.add(group)
        return known

    def _cut(self, volume: Volume) -> Iterator[Volume]:
        if not self._recipe.slices:
            yield volume
            return
        if volume.axes == 2 or volume.array.ndim < 3:
            got = " x ".join(map(str, volume.array.shape))
            raise UnusableDataset([f"expected a volume to cut into slices, got {got}"])
        yield from volume.planes(self._recipe.slice_axis)


def write_listing(path: Path, packed: Packed) -> None:
    """Writes name, source and group of each sample as CSV, in clear.

    Raises:
        StorageFailed: The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("name", "source", "group"))
            rows.writerows(packed.listing)
    except OSError as error:
        raise StorageFailed(f"cannot write {path}: {error.strerror or error}") from error


def _check_image(volume: Volume) -> None:
    array = volume.array
    if array.dtype.kind not in _NUMBERS:
        raise UnusableDataset([f"expected numbers, got {array.dtype}"])
    if not FEWEST_AXES <= array.ndim <= MOST_AXES or array.size == 0:
        got = " x ".join(map(str, array.shape)) or "one number"
        raise UnusableDataset([f"expected an image of rows and columns, got {got}"])
    if not is_finite(array):
        raise UnusableDataset(["expected finite numbers, found NaN or infinity"])


def _put(fresh: Path, path: Path) -> None:
    try:
        os.replace(fresh, path)
    except OSError as error:
        raise StorageFailed(f"cannot write {path}: {error.strerror or error}") from error
