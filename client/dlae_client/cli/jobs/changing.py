"""`dlae-client jobs pause`, `resume` and `delete`."""

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.following import job_document
from dlae_client.cli.tables import state_name
from dlae_client.jobs import Job


@click.command(epilog=examples("jobs pause tissue-0c1d"))
@click.argument("job", shell_complete=job_ids)
@command
def pause(session: Session, job: str) -> None:
    """Stops JOB until it is resumed: at once where it waits, at its next step where it runs."""
    with session.client() as client:
        _tell(session, client.pause(job))


@click.command(epilog=examples("jobs resume tissue-0c1d"))
@click.argument("job", shell_complete=job_ids)
@command
def resume(session: Session, job: str) -> None:
    """Has the paused JOB wait for a worker again; it goes on where it was."""
    with session.client() as client:
        _tell(session, client.resume(job))


@click.command(epilog=examples("jobs delete tissue-0c1d --yes"))
@click.argument("job", shell_complete=job_ids)
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def delete(session: Session, job: str, yes: bool) -> None:
    """Deletes JOB, which has ended, with its log, its checkpoint and its predictions.

    Its model stays. Nothing brings the job back.
    """
    if not yes:
        click.confirm(f"delete {job}?", abort=True, err=True)
    with session.client() as client:
        found = client.delete_job(job)
    session.print(f"deleted {found.id}")
    session.document({"job": found.id, "deleted": True})


def _tell(session: Session, job: Job) -> None:
    session.print(f"{job.id} {state_name(job)}")
    session.document(job_document(job))
