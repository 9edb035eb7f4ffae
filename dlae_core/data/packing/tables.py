"""Tables of annotations: CSV files with one row per image, or per box."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import SHOWN, first_of
from dlae_core.data.stored_boxes import COLUMNS
from dlae_core.errors import UnusableDataset

NAME, CLASS = "name", "class"
_DELIMITERS = ",;\t"
_MOST_CLASSES = 1000

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        line: Its line in the file.
        cells: Texts by column.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table whose first line names its columns.

    Attributes:
        path: The file.
        columns: Names, in lower case.
        rows: All rows that are not empty.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def problem(self, row: Row, what: str) -> str:
        """Returns a sentence about a row."""
        return f"{self.path.name}: line {row.line}: {what}"


def read_table(path: Path, needed: Sequence[str]) -> Table:
    """Reads a CSV file, its fields separated by commas, semicolons or tabs.

    Args:
        path: The file, in UTF-8.
        needed: Columns that it must have.

    Raises:
        UnusableDataset: It cannot be read, or lacks a column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnusableDataset([f"{path.name}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise UnusableDataset([f"{path.name}: expected CSV in UTF-8"]) from error
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise UnusableDataset([f"{path.name}: expected CSV: {error}"]) from error
    columns = tuple(name.lower() for name in lines[0][1]) if lines else ()
    missing = [name for name in needed if name not in columns]
    if missing or len(set(columns)) < len(columns):
        wanted = ", ".join(needed)
        message = f"{path.name}: expected a first line with the columns {wanted}, got '{head[:80]}'"
        raise UnusableDataset([message])
    rows = [
        Row(line, dict(zip(columns, cells, strict=False)))
        for line, cells in lines[1:]
        if any(cells)
    ]
    return Table(path, columns, tuple(rows))


@dataclass(frozen=True)
class Matched:
    """The rows of a table by the image that they are about.

    Attributes:
        rows: Rows by the place of the image.
        surplus: Names that no image has.
    """

    rows: Mapping[int, list[Row]]
    surplus: tuple[str, ...]


def matched(table: Table, find: Callable[[str], int | None]) -> Matched:
    """Returns the rows of a table by image.

    Args:
        table: The table.
        find: Returns the place of an image by its name, None where there is none.

    Raises:
        UnusableDataset: A name fits more than one image.
    """
    rows: dict[int, list[Row]] = {}
    surplus: list[str] = []
    for row in table.rows:
        place = find(row.cells.get(NAME, ""))
        if place is None:
            surplus.append(row.cells.get(NAME, ""))
        else:
            rows.setdefault(place, []).append(row)
    return Matched(rows, tuple(dict.fromkeys(surplus)))


def one_row_each(table: Table, found: Matched, keys: Sequence[str]) -> list[Row]:
    """Returns the one row of each image.

    Raises:
        UnusableDataset: An image has none, or several.
    """
    problems = [
        f"{table.path.name}: expected one row for '{key}', found {len(found.rows.get(place, ()))}"
        for place, key in enumerate(keys)
        if len(found.rows.get(place, ())) != 1
    ]
    if problems:
        raise UnusableDataset(first_of(problems))
    return [found.rows[place][0] for place in range(len(keys))]


def class_numbers(rows: Sequence[Row], first: int) -> dict[str, int]:
    """Returns the number of each class that rows name.

    Whole numbers stand for themselves; names are numbered in alphabetical order.

    Args:
        rows: Rows with a column `class`.
        first: Number of the first name.

    Raises:
        UnusableDataset: There are too many for classes.
    """
    names = sorted({row.cells.get(CLASS, "") for row in rows})
    if len(names) > _MOST_CLASSES:
        message = f"expected at most {_MOST_CLASSES} classes, got {len(names)} different ones"
        raise UnusableDataset([f"{message}, such as '{names[0]}'"])
    if all(name.isascii() and name.isdigit() for name in names):
        return {name: int(name) for name in names}
    return {name: number for number, name in enumerate(names, start=first)}


def coordinate_columns(table: Table) -> tuple[str, ...]:
    """Returns the columns that hold coordinates: all but the name.

    Raises:
        UnusableDataset: There are none.
    """
    columns = tuple(name for name in table.columns if name != NAME)
    if not columns:
        message = f"{table.path.name}: expected a column of numbers besides the name, got none"
        raise UnusableDataset([message])
    return columns


def numbers(table: Table, row: Row, columns: Sequence[str]) -> Float32:
    """Returns columns of a row as numbers.

    Raises:
        UnusableDataset: A cell is empty or no finite number.
    """
    found = []
    for column in columns:
        text = row.cells.get(column, "")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            message = f"expected a number as {column}, got '{text}'"
            raise UnusableDataset([table.problem(row, message)])
        found.append(number)
    return np.array(found, np.float32)


def box_rows(table: Table, rows: Sequence[Row], classes: Mapping[str, int]) -> Float32:
    """Returns the boxes of one image, float32 (boxes, 5).

    A row with nothing but the name says that there are none.

    Raises:
        UnusableDataset: A cell is empty or no number.
    """
    boxes = [
        (classes[row.cells.get(CLASS, "")], *numbers(table, row, COLUMNS[1:]))
        for row in rows
        if not is_without_box(row)
    ]
    return np.array(boxes, np.float32).reshape(-1, len(COLUMNS))


def is_without_box(row: Row) -> bool:
    """Returns whether a row says that an image has no boxes."""
    return not any(row.cells.get(column) for column in COLUMNS)


def surplus_notes(table: Table, found: Matched) -> Iterator[str]:
    """Yields a note on rows that no image has."""
    if found.surplus:
        names = ", ".join(found.surplus[:SHOWN]) + (", ..." if len(found.surplus) > SHOWN else "")
        count = len(found.surplus)
        yield f"{table.path.name}: {count} names have no image and are left out ({names})"
