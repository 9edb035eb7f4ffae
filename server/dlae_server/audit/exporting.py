"""The log in one file, for people and for verifying elsewhere."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dlae_core.errors import CorruptArtifact
from dlae_server.audit.reading import COLUMNS, places, row
from dlae_server.audit.records import BadRecord, opened


def export_lines(source: Path, file: IO[str], since: str = "") -> int:
    """Writes the records as they are, one line each; returns their number.

    Args:
        source: The data folder.
        file: Where to write.
        since: Time of the first, as records have it; empty: all.

    Raises:
        CannotStart: There is no log.
        CorruptArtifact: A line of it is no record.
    """
    return _export(source, since, lambda line, cells: file.write(f"{line}\n"))


def export_csv(source: Path, file: IO[str], since: str = "") -> int:
    """Writes a table, whose last column holds the records; as `export_lines`."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    return _export(source, since, lambda line, cells: table.writerow([*cells, line]))


def _export(source: Path, since: str, write: Callable[[str, list[str]], object]) -> int:
    count = 0
    for where, line in places(source):
        try:
            record = opened(line)
        except BadRecord as error:
            raise CorruptArtifact(
                f"{where} {error}; `dlae-server audit verify` tells all that is wrong"
            ) from error
        # From the first record on all are written: what is left out could not be verified.
        if count or str(record.facts.get("time", "")) >= since:
            write(line.decode(), row(record))
            count += 1
    return count
