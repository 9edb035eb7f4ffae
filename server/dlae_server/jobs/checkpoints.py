"""What jobs leave to go on from, found by reference."""

import asyncio
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import MODEL_FILE
from dlae_core.config.references import JOB, MODEL, is_reference
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.access.projects import DEFAULT, key_of
from dlae_server.errors import InvalidRequest, JobNotFound, ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import parse_reference

# The last checkpoint of a job that has ended, in its folder.
CHECKPOINT_FILE = "checkpoint.dlae"
PATH = "paths.load_checkpoint"


def job_folder(data_dir: Path, job_id: str) -> Path:
    """Returns the folder of a job."""
    return data_dir / "jobs" / job_id


def bundle_folder(data_dir: Path, job_id: str) -> Path:
    """Returns the folder of the model that a job made."""
    return data_dir / "models" / job_id


async def put_in_place(
    config: Config, journal: Journal, data_dir: Path, project: str = DEFAULT
) -> None:
    """Puts a project's file in the place of a reference to a checkpoint, where there is one.

    Raises:
        InvalidConfig: The job or model is not there, or has left nothing.
        ShuttingDown: The store is closed.
        StorageFailed: The store cannot be read.
    """
    reference = config.paths.load_checkpoint
    if not is_reference(reference):
        return
    try:
        job_id = await _job_of(reference, journal, project)
    except (InvalidRequest, JobNotFound, ModelNotFound) as error:
        raise InvalidConfig([Violation(PATH, "CHECKPOINT_NOT_FOUND", str(error))]) from error
    # A model of before there were checkpoints has weights.
    places = (
        job_folder(data_dir, job_id) / CHECKPOINT_FILE,
        bundle_folder(data_dir, job_id) / MODEL_FILE,
    )
    found = await asyncio.to_thread(lambda: [path for path in places if path.is_file()])
    if not found:
        sentence = (
            f"expected a job that has ended and left a checkpoint, got '{reference}'; it has not "
            "ended yet, or ended before its first step"
        )
        raise InvalidConfig([Violation(PATH, "CHECKPOINT_NOT_FOUND", sentence)])
    config.paths.load_checkpoint = str(found[0])


async def _job_of(reference: str, journal: Journal, project: str) -> str:
    if reference.startswith(JOB):
        job = await journal.call(journal.store.job, reference.removeprefix(JOB), project)
        return job.id
    name, version = parse_reference(reference.removeprefix(MODEL))
    model = await journal.call(journal.store.model, key_of(project, name), version)
    return model.bundle
