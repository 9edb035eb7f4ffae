"""`dlae-client prebuilt`: the networks that come with DLAE. Needs no server."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from dlae.v1.config_pb2 import ConfigFile
from dlae_client.cli.context import Session, examples, local_command, violation_rows
from dlae_client.cli.tables import shape, table
from dlae_client.cli.writing import write_text
from dlae_client.errors import InvalidRequest
from dlae_core.config import read_config, resolve_config, write_config
from dlae_core.config.literals import UnreadableValue, read_value
from dlae_core.config.prebuilt import Prebuilt, prebuilt_names, prebuilt_sections
from dlae_core.config.prebuilt import prebuilt as about
from dlae_core.config.schema import settings_of
from dlae_core.errors import InvalidConfig, Violation


def _names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    return [name for name in prebuilt_names() if name.startswith(begun)]


@click.group()
@local_command
def prebuilt(session: Session) -> None:
    """Shows the networks that come with DLAE; needs no server."""


@prebuilt.command("list", epilog=examples("prebuilt list"))
@local_command
def list_networks(session: Session) -> None:
    """Lists them, by kind of model."""
    rows = [about(name) for name in prebuilt_names()]
    session.document({"prebuilt": [_values(row) for row in rows]})
    head = ("name", "model", "input", "summary")
    lines = [(row.name, row.model_signal, shape(row.input_shape), row.summary) for row in rows]
    session.print(table(head, lines))


@prebuilt.command(
    "show",
    epilog=examples(
        "prebuilt show unet2d --input-shape '(256, 256, 1)' --classes 3 -o config.json"
    ),
)
@click.argument("name", shell_complete=_names)
@click.option("--input-shape", metavar="SHAPE", help="Of one image: '(256, 256, 1)'.")
@click.option("--classes", type=int, metavar="N", help="Number of classes.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write instead of printing."
)
@click.option("--force", is_flag=True, help="Replace the file.")
@local_command
def show_network(
    session: Session,
    name: str,
    input_shape: str | None,
    classes: int | None,
    output: Path | None,
    force: bool,
) -> None:
    """Prints NAME as a complete configuration, ready to be given its files.

    CNN and FCN count the background among the classes, BBD does not. Exits with 3 where shape or
    classes do not suit the network.
    """
    known = _about(name)
    try:
        text = _text(name, _shape(input_shape), classes)
    except InvalidConfig as error:
        _refuse(session, error.violations)
    for note in known.notes:
        session.say(f"note: {note}")
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text, force)
    session.print(f"wrote {output}")
    session.document({"prebuilt": name, "path": str(output)})


def _about(name: str) -> Prebuilt:
    try:
        return about(name)
    except InvalidConfig as error:
        raise InvalidRequest(error.violations[0].message, error.violations[0].reason) from error


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        found: tuple[int, ...] | None = read_value(settings_of(ConfigFile())["input_shape"], text)
    except UnreadableValue as error:
        raise InvalidRequest(f"--input-shape: {error}", "USAGE") from error
    return found


def _text(name: str, wanted: tuple[int, ...] | None, classes: int | None) -> str:
    """Returns the canonical text of a prebuilt network.

    Raises:
        InvalidConfig: Shape or classes do not suit it, or no message can hold them.
    """
    reading = read_config(json.dumps(prebuilt_sections(name, wanted, classes)))
    if reading.violations:
        raise InvalidConfig(reading.violations)
    return write_config(resolve_config(reading.config))


def _refuse(session: Session, violations: tuple[Violation, ...]) -> NoReturn:
    for violation in violations:
        session.say(f"error: {violation.message}")
    rows = violation_rows(violations)
    session.document({"valid": False, "violations": rows, "warnings": []})
    sys.exit(3)


def _values(row: Prebuilt) -> dict[str, object]:
    return {
        "name": row.name,
        "model": row.model_signal,
        "input_shape": list(row.input_shape),
        "summary": row.summary,
        "notes": list(row.notes),
    }
