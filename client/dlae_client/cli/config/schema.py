"""`dlae-client config schema`."""

import json

import click

from dlae_client.cli.context import Session, command
from dlae_core.config.json_schema import json_schema


@click.command()
@command
def schema(session: Session) -> None:
    """Prints the JSON Schema of configuration files, for editors."""
    click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))
