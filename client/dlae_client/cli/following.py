"""Following a job to its end, for `train`, `run` and `watch`."""

import sys
from collections.abc import Iterable

from dlae.v1.training_pb2 import Job, Violation
from dlae_client.cli.context import Session
from dlae_client.cli.progress import TrainingProgress
from dlae_client.cli.saving import Settings, save
from dlae_client.cli.tables import metrics_line, state_name
from dlae_client.client import Client
from dlae_client.errors import JobCancelled, JobFailed
from dlae_client.jobs import finished


def follow(session: Session, client: Client, job_id: str) -> Job:
    """Shows a job's events until it has succeeded; Ctrl-C only stops watching.

    Raises:
        JobFailed: It has failed.
        JobCancelled: It was cancelled.
    """
    progress = TrainingProgress(session.named)
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


def show_submitted(session: Session, job: Job, warnings: Iterable[Violation]) -> None:
    """Tells of a job that has just been recorded."""
    for warning in warnings:
        session.say(f"warning: {warning.path}: {warning.message}")
    session.say(f"job {job.id}")


def finish_training(session: Session, client: Client, settings: Settings, job: Job) -> None:
    """Tells of the model that a job made, and fetches what its configuration wants saved."""
    session.say(f"model {job.model}  {metrics_line(job.metrics)}")
    save(session, client, settings, job.model)
    session.print(job.model)
    session.document(job_document(job))


def job_document(job: Job) -> dict[str, object]:
    """Returns a job as JSON values."""
    values: dict[str, object] = {
        "job": job.id,
        "name": job.name,
        "kind": Job.Kind.Name(job.kind).removeprefix("KIND_").lower(),
        "state": state_name(job),
        "project": job.project,
        "created": job.create_time.ToJsonString(),
        "model": job.model,
        "metrics": dict(sorted(job.metrics.items())),
        "user": job.options.user,
        "priority": job.options.priority,
        "labels": dict(sorted(job.options.labels.items())),
    }
    if job.kind == Job.KIND_INFERENCE:
        values["results"] = [file.name for file in job.results]
    if job.waits_for:
        values["waits_for"] = job.waits_for
    if job.HasField("error"):
        values["error"] = {"reason": job.error.reason, "message": job.error.message}
    return values
