"""The lines of a log: of a data folder whose server may be running, or of an exported file."""

import csv
import fcntl
import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from dlae_server.audit.records import BadRecord, Record, opened
from dlae_server.audit.segments import FOLDER, last_line, lines, numbers, segment
from dlae_server.errors import CannotStart

# Where a line stands, for people; and the line, without its end where it has one.
Place: TypeAlias = tuple[str, bytes]
# Columns of an export for people; the last one holds the record itself.
COLUMNS = (
    *("seq", "time", "what", "call", "status", "reason", "who", "scope", "project", "peer"),
    *("request", "job", "model", "model_sha256", "dataset_sha256", "input_sha256"),
    *("output_sha256", "hash", "record"),
)

# Of files of the log that are told to be gone.
MOST_GONE = 100


def places(source: Path) -> Iterator[Place]:
    """Yields all lines of a log, in order.

    Args:
        source: A data folder, or a file that `audit export` has written.

    Raises:
        CannotStart: There is no log.
    """
    if source.is_file():
        return _exported(source)
    folder = source / FOLDER
    if not numbers(folder):
        raise CannotStart(f"expected an audit log in {folder}, got none")
    return _stored(folder)


def records(source: Path) -> Iterator[Record]:
    """Yields the records that can be read, in order.

    Raises:
        CannotStart: There is no log.
    """
    for _, line in places(source):
        try:
            yield opened(line)
        except BadRecord:
            continue


def last_record(data_dir: Path) -> Record:
    """Returns the last record of a data folder.

    Raises:
        CannotStart: There is no log, or its last line is no record.
    """
    for number in reversed(numbers(data_dir / FOLDER)):
        line, _ = last_line(segment(data_dir / FOLDER, number))
        if line:
            try:
                return opened(line)
            except BadRecord as error:
                raise CannotStart(f"the last line of the audit log {error}") from error
    raise CannotStart(f"expected an audit log in {data_dir / FOLDER}, got none")


def row(record: Record) -> list[str]:
    """Returns a record as the columns of a table."""
    whole = record.whole()
    values = [_cell(whole.get(name, "")) for name in COLUMNS[:-2]]
    return [*values, record.hash]


def _cell(value: Any) -> str:
    text = str(value)
    # A spreadsheet takes what begins so for a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def lengths(folder: Path) -> dict[Path, int]:
    """Returns the segments of a log and how much of each is whole now, in order."""
    with ExitStack() as stack:
        lock = folder / "lock"
        if lock.exists():
            fcntl.flock(stack.enter_context(lock.open("rb")), fcntl.LOCK_SH)
        paths = [segment(folder, number) for number in numbers(folder)]
        return {path: path.stat().st_size for path in paths}


def _stored(folder: Path) -> Iterator[Place]:
    # What is written after this is of no concern.
    sizes = lengths(folder)
    following = 1
    for path, size in sizes.items():
        number = int(path.stem)
        for gone in range(following, min(number, following + MOST_GONE)):
            yield segment(folder, gone).name, b""
        following = number + 1
        for index, (start, line) in enumerate(lines(path), 1):
            if start >= size:
                break
            yield f"{path.name}, line {index}", _ended(line)


def _exported(path: Path) -> Iterator[Place]:
    with path.open("rb") as file:
        first = file.readline()
        file.seek(0)
        if first.startswith(b"{"):
            for index, line in enumerate(file, 1):
                yield f"{path.name}, line {index}", _ended(line)
            return
        text = io.TextIOWrapper(file, "utf-8", "replace", newline="")
        for index, cells in enumerate(csv.reader(text), 1):
            if index > 1:
                yield f"{path.name}, row {index}", _agreeing(cells)


def _agreeing(cells: list[str]) -> bytes:
    """Returns the record of a row; nothing where its columns say something else."""
    line = cells[-1].encode() if cells else b""
    try:
        return line if row(opened(line)) == cells[:-1] else b""
    except BadRecord:
        return line


def _ended(line: bytes) -> bytes:
    """Returns a line without its end; one that has none is no record."""
    return line[:-1] if line.endswith(b"\n") else line + b"\n"
