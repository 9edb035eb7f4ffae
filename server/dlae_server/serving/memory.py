"""Memory that the server and a model's process share: one for the input, one for the output.

Whoever writes does so through the descriptor, which grows the memory where it must and costs no
page faults of the writer's; only the model's process maps the input, to compute on it in place.
Memory once used stays, because fresh pages cost more than the copies into them, up to
`KEPT_BYTES`.
"""

import mmap
import os
from collections.abc import Sequence
from itertools import islice
from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

KEPT_BYTES = 64 << 20
PART_BYTES = 1 << 20
_PARTS_PER_CALL = 512


def create(name: str) -> int:
    """Returns the descriptor of new shared memory."""
    return os.memfd_create(name)


def write(descriptor: int, parts: Sequence[Buffer], offset: int = 0) -> None:
    """Writes buffers one after the other, from an offset on."""
    rest = iter(parts)
    while group := [memoryview(part) for part in islice(rest, _PARTS_PER_CALL)]:
        while group:
            count = os.pwritev(descriptor, group, offset)
            offset += count
            group = _after(group, count)


def read(descriptor: int, offset: int, size: int) -> list[bytes]:
    """Returns `size` bytes from `offset`, in parts of at most `PART_BYTES`."""
    end = offset + size
    return [
        os.pread(descriptor, min(PART_BYTES, end - start), start)
        for start in range(offset, end, PART_BYTES)
    ]


def trim(descriptor: int, used: int) -> None:
    """Gives back what lies beyond `KEPT_BYTES` of `used` bytes, once nobody reads it any more."""
    if used > KEPT_BYTES:
        os.ftruncate(descriptor, KEPT_BYTES)


class Mapped:
    """The reader's view of shared memory, mapped anew where the memory has grown."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map: mmap.mmap | None = None

    def view(self, size: int) -> memoryview:
        """Returns the first `size` bytes, read-only; valid until the memory is written again."""
        if not size:
            return memoryview(b"")
        if self._map is None or len(self._map) < size:
            length = max(size, os.fstat(self._descriptor).st_size)
            self._map = mmap.mmap(self._descriptor, length)
        return memoryview(self._map)[:size].toreadonly()


def _after(buffers: list[memoryview], count: int) -> list[memoryview]:
    """Returns what is left of buffers without their first `count` bytes."""
    for index, buffer in enumerate(buffers):
        if count < buffer.nbytes:
            return [buffer.cast("B")[count:], *buffers[index + 1 :]]
        count -= buffer.nbytes
    return []
