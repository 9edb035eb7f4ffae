"""`dlae-client datasets`: data files that the server keeps."""

import click

from dlae_client.cli.context import Session, command
from dlae_client.cli.datasets.delete import delete
from dlae_client.cli.datasets.listing import list_datasets, print_datasets
from dlae_client.cli.datasets.show import show
from dlae_client.cli.datasets.upload import upload


@click.group(invoke_without_command=True)
@command
def datasets(session: Session) -> None:
    """Uploads, lists and deletes data files of the server; without a command it lists them.

    DATASET is dataset:NAME (its newest version), dataset:NAME@VERSION or sha256:HEX; a
    configuration may name it in place of a file.
    """
    if click.get_current_context().invoked_subcommand is None:
        print_datasets(session)


for one in (upload, list_datasets, show, delete):
    datasets.add_command(one)
