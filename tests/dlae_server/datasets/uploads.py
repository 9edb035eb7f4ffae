"""A receiver over a store in a folder, and files to bring it."""

import asyncio
import hashlib
import io
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np

from dlae.v1.datasets_pb2 import Dataset, DatasetPiece, StartUploadRequest
from dlae_server.datasets import arrival_worker
from dlae_server.datasets.receiving import Receiver
from dlae_server.jobs.journal import Journal
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings

Result = TypeVar("Result")

PIECE = 1000


def samples(count: int = 3, value: int = 0) -> bytes:
    """Returns a file of samples, uint8 (4, 5)."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number in range(count):
            file[str(number)] = np.full((4, 5), value + number, np.uint8)
    return buffer.getvalue()


def header(content: bytes, name: str = "") -> StartUploadRequest:
    """Returns what announces a file."""
    sha256 = hashlib.sha256(content).hexdigest()
    return StartUploadRequest(sha256=sha256, size_bytes=len(content), name=name)


def piece(content: bytes, offset: int, length: int = PIECE) -> DatasetPiece:
    """Returns a piece of a file."""
    data = content[offset : offset + length]
    return DatasetPiece(offset=offset, data=data, crc32=zlib.crc32(data))


def pieces(content: bytes, offset: int = 0, end: int | None = None) -> list[DatasetPiece]:
    """Returns the pieces of a part of a file."""
    return [piece(content[:end], start) for start in range(offset, len(content[:end]), PIECE)]


async def stream(parts: Iterable[DatasetPiece]) -> AsyncIterator[DatasetPiece]:
    """Yields pieces as a call does."""
    for part in parts:
        await asyncio.sleep(0)
        yield part


async def sent(
    receiver: Receiver, content: bytes, name: str = "", project: str = "default"
) -> Dataset:
    """Uploads a file, from where the receiver has nothing of it."""
    announced = header(content, name)
    offset, known = await receiver.begun(announced, project)
    return known or await receiver.take(announced, stream(pieces(content, offset)), project)


class InProcess:
    """Looks into files in this process, where no limit is tested."""

    def __init__(self, *arguments: object) -> None:
        pass

    def start(self) -> None:
        """Does nothing."""

    async def look(self, path: Path) -> Dataset:
        """As `Arrival.look`."""
        found = arrival_worker.look(path)
        return Dataset(kind=found["kind"], samples=found["samples"])

    async def close(self) -> None:
        """Does nothing."""


def with_receiver(
    folder: Path, work: Callable[[Receiver, Journal], Awaitable[Result]], **settings: object
) -> Result:
    """Runs some work with a receiver over a folder."""
    folder.mkdir(exist_ok=True)
    chosen = replace(Settings("", folder, ()), free_bytes=0, **settings)

    async def run() -> Result:
        journal = Journal(chosen, Metrics())
        receiver = Receiver(chosen, journal)
        await receiver.start()
        try:
            return await work(receiver, journal)
        finally:
            await journal.close()

    return asyncio.run(run())


def left(folder: Path) -> list[str]:
    """Returns the endings of what lies in the folder of data."""
    return sorted(
        path.suffix for path in (folder / "datasets").iterdir() if path.name != "arrival.log"
    )
