"""SHA-256 of files, remembered: a large file that has not changed is not read again.

What is remembered lies in the user's cache folder and names no file: its path is hashed too.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlae_client.errors import LocalFileError

BLOCK_BYTES = 1 << 20
MOST_FILES = 2000
# A file that has just changed may change again within one tick of its clock.
SETTLED_NS = 2_000_000_000
_Stamp = list[int]


@dataclass(frozen=True)
class HashedFile:
    """A file and what it holds.

    Attributes:
        path: Where it is.
        size_bytes: Its length.
        sha256: Hash of its content.
    """

    path: Path
    size_bytes: int
    sha256: str


class Hashes:
    """Hashes of files, in a file of the user.

    Args:
        place: Where they are remembered; None: `dlae/hashes.json` in the user's cache folder.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place or _cache_folder() / "dlae" / "hashes.json"

    def of(
        self, path: Path, progress: Callable[[int, int], None] = lambda done, size: None
    ) -> HashedFile:
        """Returns a file with its hash.

        Args:
            path: The file.
            progress: Called with the bytes read so far and those of the file, if it is read.

        Raises:
            LocalFileError: It cannot be read, or changes meanwhile.
        """
        known = self._read()
        try:
            stamp = _stamp(path)
            entry = known.get(_key(path))
            if entry and entry[:-1] == stamp:
                return HashedFile(path, stamp[0], str(entry[-1]))
            sha256 = _hashed(path, stamp[0], progress)
            if _stamp(path) != stamp:
                raise LocalFileError(f"{path} changes while it is read; wait until it is complete")
        except OSError as error:
            raise LocalFileError(f"cannot read {path}: {error.strerror or error}") from error
        if time.time_ns() - max(stamp[1:3]) > SETTLED_NS:
            self._write({**known, _key(path): [*stamp, sha256]})
        return HashedFile(path, stamp[0], sha256)

    def forget(self, path: Path) -> None:
        """Forgets a file, which will be read again."""
        known = self._read()
        if known.pop(_key(path), None):
            self._write(known)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: dict[str, Any]) -> None:
        """Remembers the latest; a disk that takes nothing costs only time."""
        kept = dict(list(known.items())[-MOST_FILES:])
        with suppress(OSError):
            self._place.parent.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._place.parent)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            os.replace(name, self._place)


def _hashed(path: Path, size: int, progress: Callable[[int, int], None]) -> str:
    digest, done = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done, size)
    return digest.hexdigest()


def _stamp(path: Path) -> _Stamp:
    """Returns what changes when a file does: length, both times, and which file it is."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()


def _cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if given else Path("~/.cache").expanduser()
