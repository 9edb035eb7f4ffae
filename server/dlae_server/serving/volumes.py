"""Inputs too large to be held by the server: each has memory of its own, as has its output.

What a client sends is written there as it comes, once, and the descriptors are handed to the
model's process together with the question; what the process writes is read as it is sent. The
server holds a message or two at a time, whatever the volume's size. The process is free for the
next question while an output is still on its way.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from dlae_server.errors import QueueFull, TensorTooLarge
from dlae_server.serving import memory
from dlae_server.serving.memory import PART_BYTES, Buffer

MEMORY = Path("/proc/meminfo")
# What a volume needs of the system's memory, in its own size: itself, its output twice.
_NEED = 2
# Smaller inputs are joined with others and reuse the memory of the model's process.
LEAST_BYTES = 16 << 20


class Volume:
    """Memory of one input and of its output."""

    def __init__(self) -> None:
        self._input = memory.create("dlae-volume")
        self._output = memory.create("dlae-volume-output")
        self._size = 0
        self._open = True
        self._reader: asyncio.Future[None] | None = None

    def append(self, part: Buffer) -> None:
        """Adds bytes to the input."""
        memory.write(self._input, [part], self._size)
        self._size += len(part)

    @property
    def descriptors(self) -> tuple[int, int]:
        """Those of input and output, for the process that works on them.

        Raises:
            ValueError: The volume is closed.
        """
        if not self._open:
            raise ValueError("expected an open volume")
        return self._input, self._output

    def read_by(self, reader: "asyncio.Future[None]") -> None:
        """Notes who else reads the input while the model works on it."""
        self._reader = reader

    async def unread(self) -> None:
        """Waits until nobody but the model reads the input."""
        if self._reader:
            await self._reader

    def forget_input(self) -> None:
        """Gives back the memory of the input, once nobody reads it any more."""
        if self._open:
            os.ftruncate(self._input, 0)

    def output(self, size: int) -> Iterator[bytes]:
        """Yields the first bytes of the output in parts of at most 1 MiB, each read when asked."""
        for start in range(0, size, PART_BYTES):
            yield os.pread(self.descriptors[1], min(PART_BYTES, size - start), start)

    def close(self) -> None:
        """Gives all memory back, where no process has it any more."""
        if self._open:
            self._open = False
            os.close(self._input)
            os.close(self._output)


# The bytes of images: in parts of the server's own, or where a model's process finds them.
Images: TypeAlias = Sequence[Buffer] | Volume


class Shelf:
    """All volumes, which together are bounded."""

    def __init__(self, limit: int) -> None:
        """Makes room.

        Args:
            limit: Bytes that the inputs of all volumes may have.
        """
        self._limit = limit
        self._taken = 0

    @contextmanager
    def volume(self, size: int) -> Iterator[Volume]:
        """Yields a volume for `size` bytes, which is closed in the end.

        Raises:
            QueueFull: Others leave too little room.
            TensorTooLarge: The system has too little memory left for it.
        """
        if (left := _available_bytes()) is not None and size * _NEED > left:
            raise TensorTooLarge(size, left // _NEED)
        if self._taken and self._taken + size > self._limit:
            raise QueueFull("bytes of large inputs", self._taken, 5.0)
        self._taken += size
        volume = Volume()
        try:
            yield volume
        finally:
            volume.close()
            self._taken -= size


def _available_bytes() -> int | None:
    """Returns how much memory the system can still hand out; None where it does not say."""
    try:
        lines = MEMORY.read_text().splitlines()
    except OSError:
        return None
    found = (int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    return next(found, None)
