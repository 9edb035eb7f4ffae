"""`dlae-client data`: making data sets and looking at them. Needs no server."""

import click

from dlae_client.cli.context import Session, local_command
from dlae_client.cli.data.check import check
from dlae_client.cli.data.pack import pack
from dlae_client.cli.data.preview import preview


@click.group()
@local_command
def data(session: Session) -> None:
    """Makes and checks data sets: two HDF5 files, images and annotations; needs no server."""


for one in (pack, check, preview):
    data.add_command(one)
