"""`dlae-client cancel`."""

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.following import job_document
from dlae_client.cli.tables import state_name


@click.command(epilog=examples("cancel tissue-0c1d"))
@click.argument("job", shell_complete=job_ids)
@command
def cancel(session: Session, job: str) -> None:
    """Stops JOB: at once where it waits, at its next training step where it runs."""
    with session.client() as client:
        found = client.cancel(job)
    session.print(f"{found.id} {state_name(found)}")
    session.document(job_document(found))
