"""Files of models on their way in: what has come is kept for a day, and gone on with.

In the folder `imports`: `PROJECT+HEX.part`, what has come of the file of this SHA-256. What one
project has sent is nothing to others, who may know no more of a file than its hash.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from dlae.v1 import models_pb2 as pb
from dlae_core.bundle import file_sha256
from dlae_server.errors import InvalidStream, UploadStalled

LOG = logging.getLogger(__name__)
KEPT_SECONDS = 24 * 3600.0


def part_file(data_dir: Path, sha256: str, project: str) -> Path:
    """Returns the place of what has come of a file."""
    return data_dir / "imports" / f"{project}+{sha256}.part"


def length_there(path: Path, size: int) -> int:
    """Returns how much of a file is there that is to have a length."""
    with suppress(FileNotFoundError):
        length = path.stat().st_size
        return length if length <= size else 0
    return 0


def sweep_parts(data_dir: Path, kept_seconds: float = KEPT_SECONDS) -> None:
    """Removes what nobody goes on with."""
    for path in (data_dir / "imports").glob("*.part"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > kept_seconds:
                LOG.info("removing an import that nobody went on with")
                path.unlink()


async def receive(
    header: pb.ImportModelHeader, data: AsyncIterator[bytes], path: Path, seconds: float
) -> None:
    """Writes what comes of a file behind what is there, until all is; what has come stays.

    Args:
        header: What comes.
        data: The bytes from the position that the header says.
        path: The file.
        seconds: How long nothing may come.

    Raises:
        InvalidStream: It is not the file that was announced, or not its next bytes.
        OSError: The disk takes no more.
        UploadStalled: Nothing more comes.
    """
    path.parent.mkdir(exist_ok=True)
    length = length_there(path, header.size_bytes) if header.offset else 0
    if length != header.offset:
        raise InvalidStream(f"expected the bytes from position {length}, got {header.offset}")
    with path.open("ab" if length else "wb") as file:
        while (piece := await _next(data, seconds)) is not None:
            length += len(piece)
            if length > header.size_bytes:
                raise InvalidStream(f"expected {header.size_bytes} bytes, got more")
            await asyncio.to_thread(file.write, piece)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    if length != header.size_bytes:
        raise InvalidStream(f"expected {header.size_bytes} bytes, got {length}")
    if await asyncio.to_thread(file_sha256, path) != header.sha256:
        path.unlink()
        raise InvalidStream("the file arrived damaged: its checksum is another; send it again")


async def _next(data: AsyncIterator[bytes], seconds: float) -> bytes | None:
    """Returns the next bytes; None after the last."""
    try:
        async with asyncio.timeout(seconds):
            return await anext(data, None)
    except TimeoutError:
        raise UploadStalled(seconds) from None
