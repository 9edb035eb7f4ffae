"""Following a job to its end, for `train` and `watch`."""

import sys

from dlae.v1.training_pb2 import Job
from dlae_client.cli.context import Session
from dlae_client.cli.progress import TrainingProgress
from dlae_client.cli.tables import state_name
from dlae_client.client import Client, finished
from dlae_client.errors import JobCancelled, JobFailed


def follow(session: Session, client: Client, job_id: str) -> Job:
    """Shows a job's events until it has succeeded; Ctrl-C only stops watching.

    Raises:
        JobFailed: It has failed.
        JobCancelled: It was cancelled.
    """
    progress = TrainingProgress()
    try:
        for event in client.watch(job_id, lost=progress.lost):
            progress.show(event)
        job = client.status(job_id)
    except KeyboardInterrupt:
        progress.clear()
        session.say(
            f"job {job_id} goes on; `dlae-client watch {job_id}` shows it again, "
            f"`dlae-client cancel {job_id}` stops it"
        )
        sys.exit(130)
    try:
        return finished(job)
    except (JobFailed, JobCancelled) as error:
        session.document(job_document(job))
        error.told = True
        raise


def job_document(job: Job) -> dict[str, object]:
    """Returns a job as JSON values."""
    values: dict[str, object] = {
        "job": job.id,
        "state": state_name(job),
        "model": job.model,
        "metrics": dict(sorted(job.metrics.items())),
    }
    if job.HasField("error"):
        values["error"] = {"reason": job.error.reason, "message": job.error.message}
    return values
