"""`dlae-client watch`."""

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.following import follow, job_document


@click.command(epilog=examples("watch tissue-0c1d"))
@click.argument("job", shell_complete=job_ids)
@command
def watch(session: Session, job: str) -> None:
    """Shows the progress of JOB from its beginning until it has ended.

    Prints the model that it made, or how `fetch` calls the predictions. Ctrl-C stops watching, not
    the job.
    """
    with session.client() as client:
        found = follow(session, client, job)
    session.print(f"job:{found.id}" if found.results else found.model)
    session.document(job_document(found))
