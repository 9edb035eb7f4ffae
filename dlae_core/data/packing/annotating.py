"""The annotations of images that were found: from files of the same names, or from tables."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.packing import tables
from dlae_core.data.packing.finding import Index, Item, find_items, missing_names
from dlae_core.data.packing.numbering import AUTO, Numbering, numbers_in
from dlae_core.data.packing.recipe import Recipe
from dlae_core.data.packing.regions import boxes_of_regions
from dlae_core.data.packing.volume import Grid, Volume, on_grid
from dlae_core.data.source import Array, first_of
from dlae_core.data.stored_boxes import COLUMNS, box_problems
from dlae_core.errors import UnusableDataset

_MOST_CLASSES = 1 << 16


class Annotations(ABC):
    """The annotations of a list of images.

    Attributes:
        classes: Number of each class that has a name, or another number, in the files.
        notes: What a user should know.
    """

    classes: Mapping[str, int]
    notes: tuple[str, ...]

    @abstractmethod
    def of(self, place: int, grid: Grid) -> Volume:
        """Returns the annotation of an image.

        Args:
            place: Of the image in the list.
            grid: Where the image lies.

        Raises:
            UnusableDataset: It cannot be read, or does not suit the image.
        """

    def finish(self, plane: Array) -> Array:
        """Returns an annotation as it is stored, of a whole image or of one plane."""
        return plane

    def attributes(self) -> dict[str, Any]:
        """Returns what is stored once for all annotations."""
        return {"classes": json.dumps(dict(self.classes))} if self.classes else {}


class MapAnnotations(Annotations):
    """Label maps, or images or values to be predicted, in files of the images' names."""

    def __init__(self, recipe: Recipe, items: Sequence[Item]) -> None:
        """Finds the partner of every image.

        Raises:
            UnusableDataset: Some have none.
        """
        self._as_labels = recipe.masks is not None
        folder = recipe.masks or recipe.targets
        assert folder is not None
        found = find_items((folder,), recipe.way(self._as_labels)).items
        named = [replace(item, key=_stripped(item.key, recipe.suffix)) for item in found]
        self._partners = _partners(named, items, folder)
        used = {partner.key for partner in self._partners}
        alone = [item.key for item in named if item.key not in used]
        self.notes = tuple(missing_names(alone, f"files in {folder.name} have no image"))
        self._numbering = self._found_numbering(recipe)
        self.classes = {str(found): wanted for found, wanted in self._numbering.classes.items()}
        self._boxes, self._smallest_px = recipe.boxes_from_masks, recipe.smallest_px

    def of(self, place: int, grid: Grid) -> Volume:
        """Returns a map on the grid of its image."""
        volume = self._read(place)
        if not self._as_labels:
            # Numbers and vectors, such as those of a stack of classes, lie on no grid.
            return on_grid(volume, grid) if volume.array.ndim > 1 else volume
        return on_grid(replace(volume, array=self._numbering.apply(volume.array)), grid)

    def finish(self, plane: Array) -> Array:
        """Returns a map, or the boxes around its regions."""
        if not self._boxes:
            return plane
        if plane.ndim != 2:
            message = "expected planes to find boxes in, got volumes; --slices cuts them"
            raise UnusableDataset([message])
        return boxes_of_regions(plane, self._smallest_px)

    def _read(self, place: int) -> Volume:
        partner = self._partners[place]
        try:
            return partner.read()
        except UnusableDataset as error:
            raise UnusableDataset([f"{partner.path}: {one}" for one in error.problems]) from error

    def _found_numbering(self, recipe: Recipe) -> Numbering:
        if recipe.relabel != AUTO:
            return Numbering.from_text(recipe.relabel)
        found: set[int] = set()
        for place in range(len(self._partners)):
            found |= numbers_in(self._read(place).array)
        return Numbering.of_found(found)


class TableAnnotations(Annotations):
    """Rows of a CSV file."""

    def __init__(self, table: tables.Table, found: tables.Matched) -> None:
        self._table = table
        self.notes = tuple(tables.surplus_notes(table, found))
        self.classes = {}


class ClassAnnotations(TableAnnotations):
    """One class per image, int64 ()."""

    def __init__(self, recipe: Recipe, items: Sequence[Item]) -> None:
        assert recipe.classes is not None
        table = tables.read_table(recipe.classes, (tables.NAME, tables.CLASS))
        found = tables.matched(table, Index(items).place)
        super().__init__(table, found)
        self._rows = tables.one_row_each(table, found, [item.key for item in items])
        empty = [table.problem(row, "expected a class") for row in self._rows if not _class(row)]
        if empty:
            raise UnusableDataset(first_of(empty))
        self.classes = tables.class_numbers(self._rows, first=0)

    def of(self, place: int, grid: Grid) -> Volume:
        """Returns the class of an image."""
        return Volume(np.array(self.classes[_class(self._rows[place])], np.int64))


class CoordinateAnnotations(TableAnnotations):
    """Numbers per image, float32 (columns,)."""

    def __init__(self, recipe: Recipe, items: Sequence[Item]) -> None:
        assert recipe.coordinates is not None
        table = tables.read_table(recipe.coordinates, (tables.NAME,))
        found = tables.matched(table, Index(items).place)
        super().__init__(table, found)
        self._rows = tables.one_row_each(table, found, [item.key for item in items])
        self._columns = tables.coordinate_columns(table)
        if self._columns[:2] == ("x", "y"):
            note = f"{table.path.name}: stored as x, y; `annotation_type` coordinates are y, x"
            self.notes = (*self.notes, note)

    def of(self, place: int, grid: Grid) -> Volume:
        """Returns the numbers of an image, in the order of the columns."""
        return Volume(tables.numbers(self._table, self._rows[place], self._columns))

    def attributes(self) -> dict[str, Any]:
        """Returns the names of the columns."""
        return {"columns": json.dumps(self._columns)}


class BoxAnnotations(TableAnnotations):
    """Boxes of each image, float32 (boxes, 5). An image without a row has none."""

    def __init__(self, recipe: Recipe, items: Sequence[Item]) -> None:
        assert recipe.boxes is not None
        table = tables.read_table(recipe.boxes, (tables.NAME, *COLUMNS))
        found = tables.matched(table, Index(items).place)
        super().__init__(table, found)
        self._rows = found.rows
        named = [row for row in table.rows if not tables.is_without_box(row)]
        self.classes = tables.class_numbers(named, first=1)
        missing = sum(place not in found.rows for place in range(len(items)))
        if missing:
            note = f"{table.path.name}: {missing} images have no row, so no boxes"
            self.notes = (*self.notes, note)

    def of(self, place: int, grid: Grid) -> Volume:
        """Returns the boxes of an image."""
        boxes = tables.box_rows(self._table, self._rows.get(place, []), self.classes)
        problems = [what for _, what in box_problems(boxes, grid.shape, _MOST_CLASSES)]
        if problems:
            raise UnusableDataset([f"{self._table.path.name}: {what}" for what in problems])
        return Volume(boxes)


KINDS: dict[str, type[MapAnnotations] | type[ClassAnnotations] | type[Any]] = {
    "masks": MapAnnotations,
    "targets": MapAnnotations,
    "classes": ClassAnnotations,
    "coordinates": CoordinateAnnotations,
    "boxes": BoxAnnotations,
}


def annotations_for(recipe: Recipe, items: Sequence[Item]) -> Annotations | None:
    """Returns the annotations of images; None where the recipe has none.

    Raises:
        UnusableDataset: Files or tables cannot be read, or leave images without an annotation.
    """
    if not recipe.kind:
        return None
    made: Annotations = KINDS[recipe.kind](recipe, items)
    return made


def _partners(named: Sequence[Item], items: Sequence[Item], folder: Path) -> list[Item]:
    index = Index(named)
    places = [index.place(item.key) for item in items]
    if None in places:
        # One name in another folder may do, as long as it is the only one.
        places = [
            index.place(item.key.rpartition("/")[2]) if place is None else place
            for item, place in zip(items, places, strict=True)
        ]
    alone = [item.key for item, place in zip(items, places, strict=True) if place is None]
    if alone:
        raise UnusableDataset(missing_names(alone, f"images have no file in {folder.name}"))
    return [named[place] for place in places if place is not None]


def _stripped(key: str, suffix: str) -> str:
    return key.removesuffix(suffix) if suffix else key


def _class(row: tables.Row) -> str:
    return row.cells.get(tables.CLASS, "")


def planes_of(volume: Volume, recipe: Recipe, count: int) -> Iterator[Array]:
    """Yields the annotation of each of the samples that an image has become."""
    if not recipe.slices or volume.array.ndim < 3:
        yield from (volume.array for _ in range(count))
        return
    yield from (plane.array for plane in volume.planes(recipe.slice_axis))
