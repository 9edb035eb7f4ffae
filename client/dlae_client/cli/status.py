"""`dlae-client status`."""

import click

from dlae.v1.training_pb2 import Job
from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command
from dlae_client.cli.following import job_document
from dlae_client.cli.tables import metrics_line, moment, state_name, table


@click.command()
@click.argument("job", shell_complete=job_ids, required=False)
@command
def status(session: Session, job: str | None) -> None:
    """Shows JOB, or all jobs."""
    with session.client() as client:
        if job:
            found = client.status(job)
            session.print(_detail(found))
            session.document({**job_document(found), "attempt": found.attempt})
            return
        jobs = list(client.jobs())
    session.document({"jobs": [job_document(one) for one in jobs]})
    head = ("job", "state", "progress", "model", "submitted", "metrics")
    session.print(table(head, [_row(one) for one in jobs]) if jobs else "no jobs yet")


def _row(job: Job) -> tuple[str, ...]:
    return (
        job.id,
        state_name(job),
        _progress(job),
        job.model,
        moment(job.create_time),
        metrics_line(job.metrics, 3),
    )


def _progress(job: Job) -> str:
    progress = job.progress
    if job.kind == Job.KIND_INFERENCE:
        return f"{progress.step}/{progress.steps} samples" if progress.steps else ""
    return f"epoch {progress.epoch}/{progress.epochs}" if progress.epochs else ""


def _detail(job: Job) -> str:
    lines = [("job", job.id), ("state", state_name(job)), ("submitted", moment(job.create_time))]
    if job.HasField("start_time"):
        lines.append(("started", moment(job.start_time)))
    if job.HasField("end_time"):
        lines.append(("ended", moment(job.end_time)))
    if job.attempt > 1:
        lines.append(("attempt", str(job.attempt)))
    lines += [("progress", _progress(job)), ("model", job.model)]
    lines.append(("results", ", ".join(file.name for file in job.results)))
    lines.append(("metrics", metrics_line(job.metrics, 20)))
    lines.append(("error", f"{job.error.reason}: {job.error.message}" if job.error.reason else ""))
    return "\n".join(f"{name:<10} {value}" for name, value in lines if value)
