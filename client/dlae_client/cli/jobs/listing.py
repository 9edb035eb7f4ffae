"""`dlae-client jobs list`."""

from collections.abc import Sequence
from typing import Any

import click

from dlae.v1.training_pb2 import Job
from dlae_client.cli.completion import model_names
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.filtering import EVERYTHING, Wanted, listing
from dlae_client.cli.following import job_document
from dlae_client.cli.job_options import LABEL
from dlae_client.cli.tables import job_progress, metrics_line, moment, state_name, table

# Name for people -> name in the contract.
STATES = {
    name.removeprefix("STATE_").lower(): name
    for name, state in Job.State.items()
    if state != Job.STATE_UNSPECIFIED
}

# Of every job, and of some.
KEYS = (*job_document(Job()), "results", "error")


@click.command(
    "list",
    epilog=examples(
        "jobs list --state queued --state running --label study=7",
        "jobs list --filter 'metrics.val_loss<0.1' --limit 20 --json",
    ),
)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(STATES)), help="Repeatable."
)
@click.option("--name", default="", shell_complete=model_names, help="Name of the jobs.")
@click.option("--user", default="", help="Who has submitted them.")
@LABEL
@listing
@command
def list_jobs(session: Session, states: Sequence[str], wanted: Wanted, **filters: Any) -> None:
    """Lists jobs, the newest first: those that all options let through."""
    print_jobs(session, wanted, states=[STATES[state] for state in states], **filters)


def print_jobs(session: Session, wanted: Wanted = EVERYTHING, **filters: Any) -> None:
    """Prints the jobs that are wanted of those that the server's filters let through."""
    with session.client() as client:
        found = wanted.of(client.jobs(**filters), job_document, KEYS)
    session.document({"jobs": [job_document(job) for job in found]})
    head = ("job", "state", "progress", "model", "submitted", "metrics")
    session.print(
        table(head, [_row(job) for job in found]) if found else f"no {wanted.called('jobs')}"
    )


def _row(job: Job) -> tuple[str, ...]:
    return (
        job.id,
        state_name(job),
        job_progress(job),
        job.model,
        moment(job.create_time),
        metrics_line(job.metrics, 3),
    )
