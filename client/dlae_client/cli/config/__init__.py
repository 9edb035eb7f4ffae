"""`dlae-client config`: the configuration language at hand. Needs no server."""

import click

from dlae_client.cli.config.convert import convert
from dlae_client.cli.config.explain import explain
from dlae_client.cli.config.schema import schema
from dlae_client.cli.config.show import show
from dlae_client.cli.context import Session, local_command


@click.group()
@local_command
def config(session: Session) -> None:
    """Shows, explains and converts configurations; needs no server."""


for one in (show, explain, convert, schema):
    config.add_command(one)
