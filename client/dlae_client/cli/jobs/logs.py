"""`dlae-client jobs logs`."""

import codecs

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples


@click.command(epilog=examples("jobs logs tissue-0c1d --follow"))
@click.argument("job", shell_complete=job_ids)
@click.option("--follow", is_flag=True, help="Go on until the job has ended.")
@command
def logs(session: Session, job: str, follow: bool) -> None:
    """Prints what the workers of JOB have written for people: warnings, and what went wrong.

    Progress is shown by `watch`. Names of files can be in it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    whole = []
    with session.client() as client:
        for piece in client.logs(job, follow):
            text = decoder.decode(piece)
            if session.as_json:
                whole.append(text)
            else:
                click.echo(text, nl=False)
    session.document({"job": job, "log": "".join(whole)})
