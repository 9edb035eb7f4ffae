"""`dlae-client jobs show`."""

import click

from dlae.v1.training_pb2 import Job
from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.following import job_document
from dlae_client.cli.tables import duration, job_progress, metrics_line, moment, size, state_name


@click.command(epilog=examples("jobs show tissue-0c1d"))
@click.argument("job", shell_complete=job_ids)
@command
def show(session: Session, job: str) -> None:
    """Shows JOB."""
    print_job(session, job)


def print_job(session: Session, job_id: str) -> None:
    """Prints a job."""
    with session.client() as client:
        found = client.status(job_id)
    session.print(_detail(found))
    session.document({**job_document(found), "attempt": found.attempt})


def _detail(job: Job) -> str:
    lines = [("job", job.id), ("state", state_name(job)), ("submitted", moment(job.create_time))]
    if job.HasField("start_time"):
        lines.append(("started", moment(job.start_time)))
    if job.HasField("end_time"):
        lines.append(("ended", moment(job.end_time)))
    if job.attempt > 1:
        lines.append(("attempt", str(job.attempt)))
    lines.append(("waiting", job.waits_for))
    lines += [("progress", job_progress(job)), ("model", job.model)]
    lines.append(("results", ", ".join(file.name for file in job.results)))
    lines.append(("metrics", metrics_line(job.metrics, 20)))
    lines.append(("error", f"{job.error.reason}: {job.error.message}" if job.error.reason else ""))
    lines += _options(job)
    return "\n".join(f"{name:<10} {value}" for name, value in lines if value)


def _options(job: Job) -> list[tuple[str, str]]:
    """Returns how a job is to be treated, where that was said."""
    options = job.options
    labels = ", ".join(f"{name}={value}" for name, value in sorted(options.labels.items()))
    return [
        ("project", job.project),
        ("user", options.user),
        ("labels", labels),
        ("priority", str(options.priority or "")),
        ("cores", str(options.cores or "")),
        ("gpus", str(options.gpus or "")),
        ("machines", str(options.machines or "")),
        ("time", f"at most {duration(limit)}" if (limit := options.time_limit_seconds) else ""),
        ("memory", f"at most {size(most)}" if (most := options.memory_limit_bytes) else ""),
    ]
