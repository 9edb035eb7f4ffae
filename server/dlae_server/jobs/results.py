"""Files that jobs wrote: kept with the job, and handed out."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from dlae.v1 import training_pb2 as pb
from dlae_core.bundle import FileEntry
from dlae_core.errors import CorruptArtifact
from dlae_server.errors import ResultNotFound
from dlae_server.jobs.checkpoints import job_folder

CHUNK_BYTES = 1 << 20


def results_folder(data_dir: Path, job_id: str) -> Path:
    """Returns the folder of what a job wrote."""
    return job_folder(data_dir, job_id) / "results"


def stored(file: Path, data_dir: Path, job_id: str) -> pb.ResultFile:
    """Moves a file to the results of its job, the only one there; returns what it is.

    Raises:
        OSError: It cannot be moved.
    """
    folder = results_folder(data_dir, job_id)
    # What an earlier attempt left there was never told of.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    target = folder / file.name
    shutil.move(file, target)
    entry = FileEntry.of(target)
    return pb.ResultFile(name=file.name, size_bytes=entry.size_bytes, sha256=entry.sha256)


def result_of(job: pb.Job, name: str) -> pb.ResultFile:
    """Returns a file of a job by name, the only one where none is given.

    Raises:
        ResultNotFound: There is none.
    """
    for file in job.results:
        if name in ("", file.name):
            return file
    raise ResultNotFound(job.id, name)


async def chunks(path: Path, offset: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yields a file from a position on in pieces, each with its own.

    Raises:
        CorruptArtifact: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield offset, data
                offset += len(data)
    except OSError as error:
        message = f"the result {path.name} cannot be read any more; run the session again"
        raise CorruptArtifact(message) from error
