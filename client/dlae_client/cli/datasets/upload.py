"""`dlae-client datasets upload`."""

from pathlib import Path

import click

from dlae_client.cli.completion import dataset_names
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.datasets.listing import dataset_values
from dlae_client.cli.placing import shown_upload, what_was_done


@click.command(epilog=examples("datasets upload X.h5 --name ct"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--name",
    default="",
    shell_complete=dataset_names,
    help="Name of which FILE is to be the newest version.",
)
@command
def upload(session: Session, file: Path, name: str) -> None:
    """Has the server keep FILE: samples in HDF5, or a table of groups.

    Nothing is sent that the server has already; what broke off goes on when it is asked for again.
    """
    with session.client() as client, shown_upload() as progress:
        done = client.upload(file, name, progress)
    dataset = done.dataset
    session.say(f"{file.name}: {what_was_done(dataset.size_bytes, done.sent_bytes)}")
    names = [f"dataset:{one.name}@{one.version}" for one in dataset.versions]
    session.print("\n".join([f"sha256:{dataset.sha256}", *names]))
    session.document({**dataset_values(dataset), "sent_bytes": done.sent_bytes})
