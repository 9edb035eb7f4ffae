"""The log of a running server: records wait for one thread, which writes them in groups.

A record that a change waits for is written at once, together with all that wait by then; others are
written at most `GROUP_SECONDS` later. The event loop only adds to a list.
"""

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dlae_core.errors import DlaeError, StorageFailed
from dlae_server.audit.chain import Chain
from dlae_server.audit.records import Position, now

LOG = logging.getLogger(__name__)
GROUP_SECONDS = 0.05
RETRY_SECONDS = 1.0
# Of inputs that are still to be hashed; beyond, a call waits for the thread.
HELD_BYTES = 128 << 20
# Records that wait while the disk is full, where calls go on all the same.
MOST_WAITING = 100_000
MOST_AT_ONCE = 1000

# Called with a position, or with what went wrong.
Answer = Callable[[Position | None, DlaeError | None], None]


@dataclass
class Entry:
    """A record that waits.

    Attributes:
        facts: What it says.
        content: Bytes whose SHA-256 it says, as `input_sha256`, hashed by the thread.
        answer: Told once it is on the disk.
    """

    facts: dict[str, Any]
    content: tuple[Any, ...] = ()
    answer: Answer | None = None

    def whole(self) -> dict[str, Any]:
        """Returns what it says, hash included."""
        if self.content:
            self.facts["input_sha256"] = sha256_of(self.content)
            self.content = ()
        return self.facts


class Log:
    """Writes records to a chain from a thread of its own.

    Attributes:
        failure: Why records cannot be written; None while they can.
    """

    def __init__(self, chain: Chain, group_seconds: float = GROUP_SECONDS) -> None:
        self._chain = chain
        self._group_seconds = group_seconds
        self._changed = threading.Condition()
        self._waiting: list[Entry] = []
        self._held_bytes = 0
        self._lost = 0
        self._urgent = False
        self._closing = False
        self.failure: DlaeError | None = None
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        """Whether so much is still to be hashed that calls should wait for it."""
        return self._held_bytes > HELD_BYTES

    def add(self, entry: Entry) -> None:
        """Adds a record, which is written soon; at once where somebody waits for it."""
        size = sum(len(part) for part in entry.content)
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                return
            self._waiting.append(entry)
            self._held_bytes += size
            if entry.answer:
                self._urgent = True
            if entry.answer or len(self._waiting) == 1:
                self._changed.notify()

    async def written(self, facts: dict[str, Any], content: tuple[Any, ...] = ()) -> Position:
        """Adds a record; returns where it is once it is on the disk.

        Raises:
            StorageFailed, CorruptArtifact: It cannot be written yet; it is kept, and tried again.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Position] = loop.create_future()

        def settle(position: Position | None, error: DlaeError | None) -> None:
            if future.done():
                return
            if position:
                future.set_result(position)
            else:
                future.set_exception(error or StorageFailed("the audit log is closed"))

        def answer(position: Position | None, error: DlaeError | None) -> None:
            loop.call_soon_threadsafe(settle, position, error)

        self.add(Entry(facts, content, answer))
        return await future

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._chain.close()

    def _run(self) -> None:
        while True:
            batch = self._next()
            if not batch:
                return
            try:
                positions = self._chain.append([entry.whole() for entry in batch])
            except DlaeError as error:
                self._failed(batch, error)
                if self._closing:
                    return
                time.sleep(RETRY_SECONDS)
                continue
            if self.failure:
                LOG.warning("the audit log is written again")
            self.failure = None
            for entry, position in zip(batch, positions, strict=True):
                if entry.answer:
                    entry.answer(position, None)

    def _next(self) -> list[Entry]:
        """Returns the records to write next; none where there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: self._urgent or self._closing, self._group_seconds)
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            self._held_bytes -= sum(len(part) for entry in batch for part in entry.content)
            self._urgent = any(entry.answer for entry in self._waiting)
            if self._lost:
                batch.append(Entry({"what": "lost", "time": now(), "records": self._lost}))
                self._lost = 0
            return batch

    def _failed(self, batch: list[Entry], error: DlaeError) -> None:
        """Keeps what could not be written, and tells who waits for it."""
        if self.failure is None:
            LOG.error("%s", error)
        self.failure = error
        for entry in batch:
            if entry.answer:
                entry.answer(None, error)
                entry.answer = None
        with self._changed:
            self._waiting = batch + self._waiting


def sha256_of(parts: Iterable[Any]) -> str:
    """Returns the SHA-256 of bytes in parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
