"""`dlae-client fetch`."""

from pathlib import Path

import click

from dlae_client.cli.completion import fetchable
from dlae_client.cli.context import Session, command, examples
from dlae_core.config.references import JOB


@click.command(
    epilog=examples(
        "fetch tissue@production -o tissue/",
        "fetch tissue@3 -o tissue.keras",
        "fetch job:scan-0c1d -o predictions.h5",
    )
)
@click.argument("model", shell_complete=fetchable)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for all files, or a file ending in .keras for the network alone; for predictions, "
    "a file or a folder that is there.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@command
def fetch(session: Session, model: str, output: Path, overwrite: bool) -> None:
    """Copies MODEL (name, name@version or name@alias), or the predictions of job:ID, here.

    One that broke off goes on where it was.
    """
    with session.client() as client:
        if model.startswith(JOB):
            path = client.fetch_result(model.removeprefix(JOB), output, overwrite)
        else:
            path = client.fetch(model, output, overwrite=overwrite)
    session.print(f"wrote {path}")
    session.document({"model": model, "path": str(path)})
