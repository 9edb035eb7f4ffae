"""The files of the log: numbered segments of lines, and what a crash has torn off."""

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from dlae_core.bundle import sync_folder

FOLDER = "audit"
SUFFIX = ".jsonl"
_UNSETTLED = ".new"


def segment(folder: Path, number: int) -> Path:
    """Returns the file of a segment, counted from 1."""
    return folder / f"{number:06d}{SUFFIX}"


def numbers(folder: Path) -> list[int]:
    """Returns the numbers of the segments that are there, in order."""
    names = (path.stem for path in folder.glob(f"[0-9]*{SUFFIX}"))
    found = (int(name) for name in names if name.isascii() and name.isdigit())
    return sorted(number for number in found if segment(folder, number).exists())


def lines(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yields position and bytes of the lines of a file, the last one as it is.

    Args:
        path: The file.
        start: Position of the first.
    """
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            yield start, line
            start += len(line)


def last_line(path: Path) -> tuple[bytes, int]:
    """Returns the last whole line of a file without its end, and where it ends; both may be 0."""
    if not path.stat().st_size:
        return b"", 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        end = text.rfind(b"\n")
        return text[text.rfind(b"\n", 0, max(end, 0)) + 1 : max(end, 0)], end + 1


def made(path: Path) -> int:
    """Makes a file that only the owner of its folder can read, or opens it; returns it open."""
    is_new = not path.exists()
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if is_new:
        belongs_to_server(number, path.parent)
        sync_folder(path.parent)
    return number


def made_folder(folder: Path) -> None:
    """Makes the folder of a log, as `made` makes files, unless it is there."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = os.open(folder, os.O_RDONLY)
    try:
        belongs_to_server(number, folder.parent)
    finally:
        os.close(number)


def belongs_to_server(number: int, folder: Path) -> None:
    """Gives a file to whom its folder belongs: root makes tokens beside another user's server."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(number, owner.st_uid, owner.st_gid)


def written(number: int, data: bytes) -> None:
    """Writes bytes at the end of a file, and to the disk.

    Raises:
        OSError: They are not all there.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(number, rest) :]
    os.fdatasync(number)


def put_aside(folder: Path, number: int, offset: int) -> Path:
    """Moves what follows a position in a segment into a file of its own; returns that.

    Its name ends in `.new` until a record names it without that; see `settle`.
    """
    path = segment(folder, number)
    with path.open("r+b") as file:
        file.seek(offset)
        torn = file.read()
        digest = hashlib.sha256(torn).hexdigest()
        aside = folder / f"torn-{number:06d}-{offset}-{digest[:8]}{_UNSETTLED}"
        handle = made(aside)
        try:
            os.ftruncate(handle, 0)
            written(handle, torn)
        finally:
            os.close(handle)
        file.truncate(offset)
        os.fsync(file.fileno())
    return aside


def unsettled(folder: Path) -> list[Path]:
    """Returns what was put aside and is in no record yet."""
    return sorted(folder.glob(f"torn-*{_UNSETTLED}"))


def settle(aside: Path) -> None:
    """Gives what was put aside the name that a record has told."""
    aside.replace(aside.with_suffix(""))
