"""`dlae-client jobs fetch`."""

from pathlib import Path

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples


@click.command(epilog=examples("jobs fetch scan-0c1d -o predictions.h5"))
@click.argument("job", shell_complete=job_ids)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File, or a folder that is there.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@command
def fetch(session: Session, job: str, output: Path, overwrite: bool) -> None:
    """Copies the predictions of JOB here, a session of inference; `fetch job:JOB` does the same.

    One that broke off goes on where it was.
    """
    with session.client() as client:
        path = client.fetch_result(job, output, overwrite)
    session.print(f"wrote {path}")
    session.document({"job": job, "path": str(path)})
