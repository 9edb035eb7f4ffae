"""Which samples belong together, such as those of one patient, and must not be split.

What a group is called may identify a patient: no message tells it and nothing stores it.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.source import SampleFile, first_of
from dlae_core.errors import UnusableDataset


def groups_of_attribute(file: SampleFile, key: str) -> dict[str, str]:
    """Returns the group of every sample from an attribute of its dataset, a text or an integer.

    Raises:
        UnusableDataset: A sample has no such attribute, or no group in it.
    """
    groups: dict[str, str] = {}
    problems: list[str] = []
    for name in file.names:
        group = _text(file.attribute(name, key))
        if group:
            groups[name] = group
        else:
            problems.append(
                f"{file.path.name}: dataset '{name}': expected a text or an integer in the "
                f"attribute '{key}', found none"
            )
    if problems:
        raise UnusableDataset(first_of(problems))
    return groups


def groups_of_table(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Returns the group of every sample from a CSV file of lines `name,group`.

    A first line of headings, further columns and samples that are not asked for are left out.

    Args:
        path: The table, in UTF-8.
        names: The samples.

    Raises:
        UnusableDataset: The table cannot be read, is not as described, or lacks a sample.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = _table(path, list(csv.reader(file)))
    except OSError as error:
        raise UnusableDataset([f"{path.name}: cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableDataset([f"{path.name}: expected a CSV file in UTF-8"]) from error
    missing = [f"{path.name}: expected a line for sample '{one}'" for one in _missing(names, table)]
    if missing:
        raise UnusableDataset(first_of(missing))
    return {name: table[int(name)] for name in names}


def _missing(names: Sequence[str], table: Mapping[int, str]) -> Iterator[str]:
    return (name for name in names if int(name) not in table)


def _table(path: Path, rows: list[list[str]]) -> dict[int, str]:
    groups: dict[int, str] = {}
    problems: list[str] = []
    for line, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        name, group, *_ = (*(cell.strip() for cell in row), "", "")
        if not (name.isascii() and name.isdigit()):
            # Headings are no mistake.
            if line > 1:
                problems.append(f"line {line}: expected the name of a sample, an integer, first")
        elif not group:
            problems.append(f"line {line}: expected a group after the name '{name[:20]}'")
        elif groups.setdefault(int(name[:18]), group) != group:
            problems.append(f"line {line}: expected one group for sample '{name[:20]}', found two")
    if problems:
        raise UnusableDataset([f"{path.name}: {problem}" for problem in first_of(problems)])
    return groups


def _text(value: Any) -> str:
    """Returns the text of an attribute; empty where it is neither a text nor an integer."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str | int | np.integer) and not isinstance(value, bool):
        return str(value).strip()
    return ""
