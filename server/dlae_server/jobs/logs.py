"""Logs of jobs: what their workers write for people.

Workers write there what libraries print, warnings, and the traceback of a fault: no samples, no
values. Names of files can be in it, as they can be in configurations and messages of errors.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import FINISHED

LOG_FILE = "worker.log"
PIECE_BYTES = 64 << 10
LOOK_SECONDS = 0.25


async def pieces(
    journal: Journal, path: Path, job_id: str, offset: int
) -> AsyncIterator[tuple[int, bytes]]:
    """Yields a log as it grows, each piece with its position, until its job has ended.

    A piece without bytes is a heartbeat.

    Raises:
        JobNotFound: There is no such job.
    """
    told = time.monotonic()
    while True:
        job = await journal.call(journal.store.job, job_id)
        # What was written before it ended is there by now.
        async for piece in written(path, offset):
            yield piece
            offset, told = piece[0] + len(piece[1]), time.monotonic()
        if job.state in FINISHED:
            return
        journal.require_running()
        if time.monotonic() - told > journal.heartbeat_seconds:
            yield offset, b""
            told = time.monotonic()
        await asyncio.sleep(LOOK_SECONDS)


async def written(path: Path, offset: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yields what a log holds from a position on, in pieces; nothing where there is none."""
    while data := await asyncio.to_thread(_read, path, offset):
        yield offset, data
        offset += len(data)


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)
    except FileNotFoundError:
        return b""
