"""The chain on disk: every record names the hash of the one before, whoever writes it.

A server and the commands beside it write to the same chain, one after the other under a lock. Who
writes has first looked at what others have added since: it must go on from where the chain was. A
line without an end, which a crash has torn, is put aside and a record says so.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlae_core.errors import CorruptArtifact, StorageFailed
from dlae_server.audit.records import (
    BEGINNING,
    BadRecord,
    Facts,
    Key,
    Position,
    Record,
    now,
    opened,
    sealed,
)
from dlae_server.audit.segments import (
    FOLDER,
    last_line,
    lines,
    made,
    made_folder,
    numbers,
    put_aside,
    segment,
    settle,
    unsettled,
    written,
)
from dlae_server.errors import CannotStart

SEGMENT_BYTES = 64 << 20


class Chain:
    """The log of a data folder, to be written. For one thread."""

    def __init__(
        self, data_dir: Path, key: Key | None = None, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Opens the log and looks at its end.

        Args:
            data_dir: The server's folder.
            key: What records are signed with; None: they are not.
            segment_bytes: Length from which on a segment is followed by another.

        Raises:
            CorruptArtifact: Its end is no record.
            CannotStart: It is signed, and no key is given.
            StorageFailed: It cannot be read or written.
        """
        self._folder = data_dir / FOLDER
        self._key = key
        self._segment_bytes = segment_bytes
        self._number, self._offset, self._handle = 1, 0, -1
        self.tip = BEGINNING
        self._tip_key = ""
        # What was put aside and is in no record yet.
        self._torn: list[Path] = []
        with _storage_errors():
            made_folder(self._folder)
            self._lock = made(self._folder / "lock")
            with self._held():
                self._find_end()
        if self._tip_key and key is None:
            self.close()
            raise CannotStart(
                f"expected --audit-key: the audit log is signed with the key {self._tip_key}, got "
                "none; name its file"
            )

    def append(self, batch: Sequence[Facts]) -> list[Position]:
        """Writes records to the disk, all or none; returns where they are.

        Raises:
            CorruptArtifact: Another hand has changed what was written.
            StorageFailed: They cannot be written.
        """
        with _storage_errors(), self._held():
            self._catch_up()
            first = [*_torn_facts(self._torn), *self._key_change()]
            data, tip, positions = b"", self.tip, []
            for facts in (*first, *batch):
                line, tip = sealed(facts, tip, self._key)
                data += line
                positions.append(tip)
            self._write(data)
            self.tip, self._tip_key = tip, self._key.id if self._key else ""
            while self._torn:
                settle(self._torn.pop())
        return positions[len(first) :]

    def close(self) -> None:
        """Closes the files."""
        for handle in (self._handle, self._lock):
            if handle >= 0:
                os.close(handle)
        self._handle = self._lock = -1

    @contextmanager
    def _held(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _find_end(self) -> None:
        """Finds the last record."""
        self._torn = unsettled(self._folder)
        found = numbers(self._folder)
        for number in reversed(found):
            line, end = last_line(segment(self._folder, number))
            if number == found[-1]:
                self._number, self._offset = number, end
                self._put_torn_aside()
            if line:
                self._take(self._opened(line))
                return

    def _catch_up(self) -> None:
        """Reads what others have added."""
        while True:
            path = segment(self._folder, self._number)
            if self._handle < 0:
                self._handle = made(path)
            self._require_mine(path)
            for start, line in lines(path, self._offset):
                if not line.endswith(b"\n"):
                    break
                record = self._opened(line[:-1])
                if record.previous != self.tip.hash or record.position.seq != self.tip.seq + 1:
                    raise _changed(f"record {record.position.seq} does not go on from the last")
                self._take(record)
                self._offset = start + len(line)
            self._put_torn_aside()
            if not segment(self._folder, self._number + 1).exists():
                return
            self._follow()

    def _require_mine(self, path: Path) -> None:
        """Raises `CorruptArtifact` where a segment is another, or shorter, than it was."""
        mine = os.fstat(self._handle)
        try:
            found = path.stat()
        except FileNotFoundError:
            raise _changed(f"{path.name} is gone") from None
        if (found.st_ino, found.st_dev) != (mine.st_ino, mine.st_dev):
            raise _changed(f"{path.name} is another file")
        if found.st_size < self._offset:
            raise _changed(f"{path.name} is shorter than it was")

    def _put_torn_aside(self) -> None:
        path = segment(self._folder, self._number)
        if path.stat().st_size <= self._offset:
            return
        self._torn.append(put_aside(self._folder, self._number, self._offset))

    def _key_change(self) -> list[dict[str, Any]]:
        key = self._key.id if self._key else ""
        if key == self._tip_key:
            return []
        return [{"what": "key", "time": now(), "from": self._tip_key, "to": key}]

    def _take(self, record: Record) -> None:
        self.tip, self._tip_key = record.position, record.key

    def _opened(self, line: bytes) -> Record:
        try:
            return opened(line)
        except BadRecord as error:
            raise _changed(
                f"a line of {segment(self._folder, self._number).name} {error}"
            ) from error

    def _write(self, data: bytes) -> None:
        if self._offset and self._offset + len(data) > self._segment_bytes:
            self._follow()
        try:
            written(self._handle, data)
        except OSError:
            # What is there of it was told to nobody.
            os.ftruncate(self._handle, self._offset)
            raise
        self._offset += len(data)

    def _follow(self) -> None:
        """Goes on to the next segment."""
        following = made(segment(self._folder, self._number + 1))
        os.close(self._handle)
        self._handle, self._number, self._offset = following, self._number + 1, 0


def _torn_facts(torn: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in torn:
        data = path.read_bytes()
        told = {"file": path.stem, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        yield {"what": "torn", "time": now(), **told}


def _changed(what: str) -> CorruptArtifact:
    return CorruptArtifact(
        f"another hand has changed the audit log: {what}; `dlae-server audit verify` tells all, "
        f"and moving the folder '{FOLDER}' away begins a new one"
    )


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            f"the audit log cannot be written: {error.strerror or error}; make room on the disk of "
            "the data folder, or mend its rights"
        ) from error
