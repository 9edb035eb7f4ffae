"""The files of `deploy`, read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from dlae_client.cli.main import group
from dlae_server.main import main

DEPLOY = Path(__file__).parents[2] / "deploy"
YAML = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])
IMAGE = "dlae-server"


def documents(path: Path) -> list[Any]:
    """Returns the documents of a YAML file."""
    return [found for found in yaml.safe_load_all(path.read_text()) if found is not None]


def named(path: Path, kind: str) -> Any:
    """Returns the one document of a kind in a file."""
    (found,) = [one for one in documents(path) if one["kind"] == kind]
    return found


def within(value: Any) -> Iterator[dict[str, Any]]:
    """Yields every mapping in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):
            yield from within(inner)


def server_arguments() -> Iterator[tuple[str, list[str]]]:
    """Yields what every file calls the server with, and which file."""
    for path in YAML:
        for container in (one for found in documents(path) for one in within(found)):
            arguments = container.get("args") or container.get("command")
            if container.get("image") == IMAGE and arguments and arguments[0] != "install":
                yield path.name, list(arguments)
    unit = (DEPLOY / "dlae-server.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    yield "dlae-server.service", line.split()[1:]


def options(command: click.Command) -> set[str]:
    """Returns the options of a command and of those below it."""
    found = {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found |= options(inner)
    return {option for option in found if option.startswith("--")}


SERVER, CLIENT = options(main), options(group)
