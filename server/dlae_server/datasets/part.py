"""A file on its way in: written block by block, hashed beside it.

Blocks go past the page cache where the file system allows that: a server whose memory is full of
cached pages takes up to ten times as long to find one for each new page of a large file.
"""

import hashlib
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from dlae_server.errors import InvalidStream

PIECE_BYTES = 4 << 20
BLOCK_BYTES = 1 << 20
# Bytes, and their CRC-32; None where the connection keeps them from damage.
Piece: TypeAlias = tuple[bytes, int | None]
# What addresses, positions and lengths are multiples of where no page is between.
_PAGE = mmap.PAGESIZE
# Linux has it, others do without.
_DIRECT = getattr(os, "O_DIRECT", 0)


class Part:
    """A file on its way in. Whoever writes does not hash at the same time, and the reverse.

    Attributes:
        size: Length that it is to have.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.size = size
        self._path = path
        self._digest = hashlib.sha256()
        # What is not on the disk yet, from the position on, which is a multiple of a page.
        self._block = mmap.mmap(-1, BLOCK_BYTES)
        self._position = self._filled = 0
        self._has_failed = False

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        self._direct: int | None = None
        with suppress(OSError):
            self._direct = os.open(self._path, os.O_WRONLY | _DIRECT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Writes what is left of a block: so much need not be sent again."""
        try:
            self._write_rest()
        finally:
            os.close(self._file)
            if self._direct is not None:
                os.close(self._direct)

    @property
    def length(self) -> int:
        """Length that it has."""
        return self._position + self._filled

    def open(self) -> None:
        """Reads what is there already; it goes where it is more than the file is to have."""
        if os.fstat(self._file).st_size > self.size:
            os.ftruncate(self._file, 0)
        length = 0
        while block := os.pread(self._file, BLOCK_BYTES, length):
            self._digest.update(block)
            length += len(block)
        self._filled = length % _PAGE
        self._position = length - self._filled
        self._block[: self._filled] = os.pread(self._file, self._filled, self._position)

    def require_fitting(self, offset: int, length: int, expected: int) -> None:
        """Raises `InvalidStream` where a piece is not the next one."""
        if offset != expected:
            raise InvalidStream(f"expected a piece at position {expected}, got {offset}")
        if not 0 < length <= PIECE_BYTES:
            raise InvalidStream(f"expected a piece of 1 to {PIECE_BYTES} bytes, got {length}")
        if expected + length > self.size:
            raise InvalidStream(f"expected {self.size} bytes, got more")

    def append(self, pieces: Iterable[Piece]) -> None:
        """Writes pieces; where one failed before, nothing.

        Raises:
            InvalidStream: One is damaged; nothing of it is written.
            OSError: The disk takes no more.
        """
        if self._has_failed:
            return
        self._has_failed = True
        for data, crc32 in pieces:
            if crc32 is not None and zlib.crc32(data) != crc32:
                raise InvalidStream(f"the piece at position {self.length} arrived damaged")
            for part in _parts(data, BLOCK_BYTES - self._filled):
                self._block[self._filled : self._filled + len(part)] = part
                self._filled += len(part)
                if self._filled == BLOCK_BYTES:
                    self._write_block()
        self._has_failed = False

    def digest(self, pieces: Iterable[Piece]) -> None:
        """Hashes pieces."""
        for data, _ in pieces:
            self._digest.update(data)

    def finished(self) -> str:
        """Has the disk take all that came; returns its SHA-256."""
        self._write_rest()
        os.fsync(self._file)
        return self._digest.hexdigest()

    def _write_block(self) -> None:
        if self._direct is not None:
            try:
                _write(self._direct, memoryview(self._block), self._position)
            except OSError:
                # Some file systems open a file so and then refuse to write it.
                os.close(self._direct)
                self._direct = None
        if self._direct is None:
            _write(self._file, memoryview(self._block), self._position)
        self._position += BLOCK_BYTES
        self._filled = 0

    def _write_rest(self) -> None:
        with memoryview(self._block) as block:
            _write(self._file, block[: self._filled], self._position)


def _write(file: int, data: memoryview, position: int) -> None:
    while data:
        count = os.pwrite(file, data, position)
        data, position = data[count:], position + count


def _parts(data: bytes, first: int) -> Iterator[memoryview]:
    """Yields a piece in parts that fill one block after another."""
    view = memoryview(data)
    while view:
        yield view[:first]
        view, first = view[first:], BLOCK_BYTES
