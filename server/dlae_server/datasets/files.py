"""Where data files lie, complete and on their way in, and what is swept of them.

In the folder `datasets`: `HEX.h5`, a file that the store knows, named by its SHA-256; `HEX.part`,
what has come of an upload, `PROJECT+HEX.part` for another project than `default`; `HEX.gone`, a
file that was deleted, for the moment that this takes.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dlae_core.bundle import sync_folder
from dlae_server.access.projects import DEFAULT

LOG = logging.getLogger(__name__)

ENDING, PART, GONE = ".h5", ".part", ".gone"
# Ends the name of a project, which has none.
MARK = "+"
# How long what has come of an upload is kept after its last piece.
KEPT_SECONDS = 24 * 3600.0


def datasets_folder(data_dir: Path) -> Path:
    """Returns the folder of all data files."""
    return data_dir / "datasets"


def dataset_file(data_dir: Path, sha256: str) -> Path:
    """Returns the place of a complete file."""
    return datasets_folder(data_dir) / f"{sha256}{ENDING}"


def part_file(data_dir: Path, sha256: str, project: str = DEFAULT) -> Path:
    """Returns the place of a file on its way in: what has come of it is its project's alone."""
    mark = "" if project == DEFAULT else f"{project}{MARK}"
    return datasets_folder(data_dir) / f"{mark}{sha256}{PART}"


def length_of(path: Path) -> int:
    """Returns the length of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def put_in_place(part: Path, target: Path) -> None:
    """Gives a file that is complete and on the disk its name."""
    part.replace(target)
    sync_folder(target.parent)


def taken_away(data_dir: Path, sha256: str) -> Path:
    """Takes a deleted file out of the way of the next of its content; returns what is to go."""
    gone = datasets_folder(data_dir) / f"{sha256}{GONE}"
    with suppress(FileNotFoundError):
        dataset_file(data_dir, sha256).replace(gone)
    return gone


def set_aside(data_dir: Path, known: set[str], keep: bool = True) -> None:
    """Makes uploads of files that the store does not know, before any upload begins.

    A crash came between their name and the store, or between the store and their removal: whoever
    sends them again need not send a byte; after a day they are swept.

    Args:
        data_dir: The server's folder.
        known: SHA-256 of what the store knows.
        keep: Whether all belong to `default`; otherwise nobody knows whose they are, and they go.
    """
    for path in datasets_folder(data_dir).glob(f"*{GONE}"):
        path.unlink()
    for path in sorted(datasets_folder(data_dir).glob(f"*{ENDING}")):
        if path.stem not in known:
            LOG.info(
                "setting aside the data file %s, which the store does not know", path.stem[:12]
            )
            if not keep:
                path.unlink()
                continue
            path.replace(path.with_suffix(PART))
            os.utime(path.with_suffix(PART))


def sweep(data_dir: Path, active: set[str], kept_seconds: float = KEPT_SECONDS) -> None:
    """Removes what came of uploads that nobody went on with."""
    for path in _parts(data_dir):
        try:
            idle = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue
        if path.stem not in active and idle > kept_seconds:
            LOG.info("removing an upload of %s that nobody went on with", path.stem[:12])
            path.unlink(missing_ok=True)


def part_bytes(data_dir: Path, but: set[str], project: str = DEFAULT) -> int:
    """Returns the length of all that is on its way into a project, but for some."""
    return sum(
        length_of(path)
        for path in _parts(data_dir)
        if path.stem not in but and _owner(path) == project
    )


def _owner(part: Path) -> str:
    project, mark, _ = part.stem.partition(MARK)
    return project if mark else DEFAULT


def _parts(data_dir: Path) -> Iterator[Path]:
    yield from sorted(datasets_folder(data_dir).glob(f"*{PART}"))
