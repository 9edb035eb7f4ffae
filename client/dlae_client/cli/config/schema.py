"""`dlae-client config schema`."""

import json

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_core.config.json_schema import json_schema


@click.command(epilog=examples("config schema"))
@local_command
def schema(session: Session) -> None:
    """Prints the JSON Schema of configuration files, for editors."""
    click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))
