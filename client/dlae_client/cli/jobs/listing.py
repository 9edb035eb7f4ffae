"""`dlae-client jobs list`."""

from collections.abc import Mapping, Sequence

import click

from dlae.v1.training_pb2 import Job
from dlae_client.cli.context import Session, command
from dlae_client.cli.following import job_document
from dlae_client.cli.job_options import LABEL
from dlae_client.cli.tables import job_progress, metrics_line, moment, state_name, table

# Name for people -> name in the contract.
STATES = {
    name.removeprefix("STATE_").lower(): name
    for name, state in Job.State.items()
    if state != Job.STATE_UNSPECIFIED
}


@click.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(STATES)), help="Repeatable."
)
@click.option("--name", default="", help="Name of the jobs.")
@click.option("--user", default="", help="Who has submitted them.")
@LABEL
@command
def list_jobs(
    session: Session, states: Sequence[str], name: str, user: str, labels: Mapping[str, str]
) -> None:
    """Lists jobs, the newest first: those that all options let through."""
    print_jobs(session, states, name, user, labels)


def print_jobs(
    session: Session,
    states: Sequence[str] = (),
    name: str = "",
    user: str = "",
    labels: Mapping[str, str] | None = None,
) -> None:
    """Prints the jobs that all filters let through."""
    with session.client() as client:
        found = list(client.jobs([STATES[state] for state in states], name, user, labels))
    session.document({"jobs": [job_document(job) for job in found]})
    head = ("job", "state", "progress", "model", "submitted", "metrics")
    session.print(table(head, [_row(job) for job in found]) if found else "no jobs yet")


def _row(job: Job) -> tuple[str, ...]:
    return (
        job.id,
        state_name(job),
        job_progress(job),
        job.model,
        moment(job.create_time),
        metrics_line(job.metrics, 3),
    )
