"""Uploads: files received piece by piece, gone on with after a break, checked and stored."""

import asyncio
import logging
import shutil
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from dlae.v1.datasets_pb2 import Dataset, DatasetPiece, StartUploadRequest
from dlae_core.errors import StorageFailed, UnusableDataset
from dlae_server.access.projects import DEFAULT
from dlae_server.datasets import arrival
from dlae_server.datasets.arrival import Arrival
from dlae_server.datasets.files import (
    dataset_file,
    datasets_folder,
    length_of,
    part_bytes,
    part_file,
    put_in_place,
    set_aside,
    sweep,
)
from dlae_server.datasets.part import Part, Piece
from dlae_server.datasets.references import HEX, Reference
from dlae_server.errors import (
    InvalidRequest,
    InvalidStream,
    QueueFull,
    QuotaExceeded,
    UploadStalled,
)
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import checked_name
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
# What is handed to the threads at a time, and how often before they are done.
BATCH_BYTES, AHEAD = 4 << 20, 4


class Receiver:
    """Takes in files, each by one upload at a time.

    Args:
        settings: The server's.
        journal: The store.
        command: The program that looks into files.
    """

    def __init__(
        self, settings: Settings, journal: Journal, command: tuple[str, ...] = arrival.WORKER
    ) -> None:
        self._settings = settings
        self._journal = journal
        log = datasets_folder(settings.data_dir) / "arrival.log"
        self._arrival = Arrival(log, command)
        # Name of the part on the disk -> length and project of what is on its way in.
        self._active: dict[str, tuple[int, str]] = {}

    async def start(self) -> None:
        """Puts in order what a crash has left, before any upload begins, and goes on doing so.

        Raises:
            StorageFailed: The folder cannot be written.
        """
        call, store = self._journal.call, self._journal.store
        known, shared = await call(store.dataset_hashes), await call(store.has_projects)
        try:
            datasets_folder(self._settings.data_dir).mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(set_aside, self._settings.data_dir, known, not shared)
        except OSError as error:
            raise StorageFailed(f"cannot write the folder of data: {error.strerror}") from error
        # It ends with the loop.
        self._tidying = asyncio.create_task(self._keep_tidy())

    async def _keep_tidy(self) -> None:
        """Removes what nobody goes on with, now and every hour, until the loop ends."""
        try:
            while True:
                await asyncio.to_thread(self._sweep)
                await asyncio.sleep(SWEEP_SECONDS)
        finally:
            await self._arrival.close()

    def _sweep(self) -> None:
        try:
            sweep(self._settings.data_dir, set(self._active))
        except OSError as error:
            LOG.warning("uploads cannot be swept: %s", error.strerror)

    async def begun(
        self, header: StartUploadRequest, project: str = DEFAULT
    ) -> tuple[int, Dataset | None]:
        """Returns how much of a file a project has, and the file where it is complete.

        What others have brought counts for nothing: who knows the hash of a file does not have it.

        Raises:
            InvalidRequest: The header is not allowed.
        """
        self._check(header)
        if await self._journal.call(self._journal.store.has_dataset, header.sha256, project):
            return header.size_bytes, await self._known(header, project)
        length = await asyncio.to_thread(length_of, self._part(header, project))
        return (length if length <= header.size_bytes else 0), None

    async def take(
        self,
        header: StartUploadRequest,
        pieces: AsyncIterator[DatasetPiece],
        project: str = DEFAULT,
    ) -> Dataset:
        """Takes in what a project is missing of a file, checks and stores it.

        Raises:
            InvalidRequest: The header is not allowed.
            InvalidStream: The pieces are not the file that was announced.
            UnusableDataset: It is no file that can be trained on.
            QuotaExceeded: The server keeps as much as it may.
            StorageFailed: The disk has no room for it.
            QueueFull: Another call uploads the same file.
            UploadStalled: Nothing more comes.
        """
        self._check(header)
        if await self._journal.call(self._journal.store.has_dataset, header.sha256, project):
            return await self._known(header, project)
        active = self._part(header, project).stem
        if active in self._active:
            raise QueueFull("uploads of this file", 1, retry_seconds=1.0)
        self._active[active] = header.size_bytes, project
        try:
            await self._require_room(header, project)
            return await self._taken(header, pieces, project)
        except OSError as error:
            raise StorageFailed(f"the data cannot be stored: {error.strerror}") from error
        finally:
            del self._active[active]

    async def _taken(
        self, header: StartUploadRequest, pieces: AsyncIterator[DatasetPiece], project: str
    ) -> Dataset:
        path = self._part(header, project)
        self._arrival.start()
        with Part(path, header.size_bytes) as part:
            await self._received(part, pieces)
            if await asyncio.to_thread(part.finished) != header.sha256:
                path.unlink()
                raise InvalidStream(
                    "the file arrived damaged: its checksum is another; send it again"
                )
        try:
            dataset = await self._arrival.look(path)
        except UnusableDataset:
            path.unlink()
            raise
        dataset.sha256, dataset.size_bytes = header.sha256, header.size_bytes
        stored = await self._journal.call(self._stored, path, dataset, header.name, project)
        LOG.info("stored the data file %s of %d bytes", header.sha256[:12], header.size_bytes)
        return stored

    def _stored(self, path: Path, dataset: Dataset, name: str, project: str) -> Dataset:
        """Gives a file its place and its row.

        Runs in the store's thread: who deletes the same file of another project does so before or
        after both.
        """
        put_in_place(path, dataset_file(self._settings.data_dir, dataset.sha256))
        return self._journal.store.add_dataset(dataset, name, project)

    async def _received(self, part: Part, pieces: AsyncIterator[DatasetPiece]) -> None:
        """Writes and hashes what comes, in threads, some pieces while the next come."""
        await asyncio.to_thread(part.open)
        expected = part.length
        async with Work(part) as work:
            while (piece := await self._next(pieces)) is not None:
                self._journal.require_running()
                # Each look at it makes a copy.
                data = piece.data
                part.require_fitting(piece.offset, len(data), expected)
                expected += len(data)
                await work.add(data, piece.crc32 if piece.HasField("crc32") else None)
        if expected != part.size:
            raise InvalidStream(f"expected {part.size} bytes, got {expected}")

    async def _next(self, pieces: AsyncIterator[DatasetPiece]) -> DatasetPiece | None:
        """Returns the next piece; None after the last.

        Raises:
            UploadStalled: None comes.
        """
        seconds = self._settings.upload_silence_seconds
        try:
            async with asyncio.timeout(seconds):
                return await anext(pieces, None)
        except TimeoutError:
            raise UploadStalled(seconds) from None

    async def _known(self, header: StartUploadRequest, project: str) -> Dataset:
        """Returns a file that is there, under a new name where one is given."""
        call, store = self._journal.call, self._journal.store
        known = await call(store.dataset, Reference(sha256=header.sha256), project)
        named = (known, header.name, project)
        return await call(store.add_dataset, *named) if header.name else known

    async def _require_room(self, header: StartUploadRequest, project: str) -> None:
        """Raises `QuotaExceeded` or `StorageFailed` where a file has no room."""
        call, store, settings = self._journal.call, self._journal.store, self._settings
        coming = sum(size for size, _ in self._active.values()) - header.size_bytes
        own = sum(size for size, one in self._active.values() if one == project)
        left = await asyncio.to_thread(part_bytes, settings.data_dir, set(self._active), project)
        kept = await call(store.dataset_bytes, project) + own - header.size_bytes + left
        limit = settings.dataset_bytes
        if limit is not None and kept + header.size_bytes > limit:
            unused = await call(store.unused_datasets, 3, project)
            raise QuotaExceeded(header.size_bytes, kept, limit, ", ".join(map(_told, unused)))
        missing = header.size_bytes - await asyncio.to_thread(
            length_of, self._part(header, project)
        )
        free = shutil.disk_usage(settings.data_dir).free
        if coming + missing + settings.free_bytes > free:
            raise StorageFailed(
                f"the server's disk has no room for this data file: {free} bytes are free"
            )

    def _check(self, header: StartUploadRequest) -> None:
        if not HEX.fullmatch(header.sha256) or header.size_bytes <= 0:
            raise InvalidRequest("expected the length and the SHA-256 of a file, got others")
        if header.name:
            checked_name(header.name)

    def _part(self, header: StartUploadRequest, project: str) -> Path:
        return part_file(self._settings.data_dir, header.sha256, project)


class Work:
    """Pieces handed to two threads, several at a time: a change of threads costs as much as a copy.

    Some are ahead of the threads, so that nobody waits for a disk or a processor that others use.
    Leaving it, all that was added is in the file, whatever ended it: the next upload goes on there.
    """

    def __init__(self, part: Part) -> None:
        self._batch: list[Piece] = []
        self._bytes = 0
        self._working: deque[asyncio.Future[None]] = deque()
        # One thread each: what is written and hashed has an order.
        self._ways = [(ThreadPoolExecutor(1), work) for work in (part.append, part.digest)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._hand_on(ahead=0)
        finally:
            # The first error is told; others would be logged.
            await asyncio.gather(*self._working, return_exceptions=True)
            for thread, _ in self._ways:
                thread.shutdown(wait=False)

    async def add(self, data: bytes, crc32: int | None) -> None:
        """Adds a piece.

        Raises:
            InvalidStream: One before it is damaged.
        """
        self._batch.append((data, crc32))
        self._bytes += len(data)
        if self._bytes >= BATCH_BYTES:
            await self._hand_on(AHEAD)

    async def _hand_on(self, ahead: int) -> None:
        """Hands a batch to the threads, and waits until they have no more than some others left."""
        batch, self._batch, self._bytes = self._batch, [], 0
        run = asyncio.get_running_loop().run_in_executor
        self._working += [run(thread, work, batch) for thread, work in self._ways]
        while len(self._working) > ahead * len(self._ways):
            await self._working[0]
            self._working.popleft()


def _told(dataset: Dataset) -> str:
    """Returns how a file is called, and its length."""
    names = [f"dataset:{one.name}@{one.version}" for one in dataset.versions]
    return f"{names[0] if names else f'sha256:{dataset.sha256}'} ({dataset.size_bytes} bytes)"
