"""`dlae-client config convert`."""

from pathlib import Path

import click

from dlae_client.cli.config.reading import (
    ConfigFile,
    origin_notes,
    read_config_file,
    require_complete,
    tell,
)
from dlae_client.cli.context import Session, examples, local_command, violation_rows
from dlae_client.cli.writing import write_text
from dlae_core.config import write_config
from dlae_core.config.legacy import legacy_losses, write_legacy_config


@click.command(
    epilog=examples("config convert old.json -o new.json", "config convert new.json --to 1.0")
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["native", "1.0"]),
    default="native",
    show_default=True,
    help="native: what the file gives, as typed JSON. 1.0: all keys, every value a text.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write instead of printing."
)
@click.option("--force", is_flag=True, help="Replace the file.")
@local_command
def convert(session: Session, config: Path, to: str, output: Path | None, force: bool) -> None:
    """Writes CONFIG in our form or in that of DLAE 1.0; both are read everywhere.

    Exits with 3 where something in it cannot be read; settings that do not fit each other are
    warned of. Notes say what DLAE 1.0 cannot read.
    """
    file = read_config_file(config)
    text, notes = _native(file) if to == "native" else _legacy(file)
    if output is not None:
        write_text(output, text, force)
    tell(session, file, notes)
    if output is None:
        click.echo(text, nl=False)
        return
    session.print(f"wrote {output}")
    rows = violation_rows(file.warnings)
    session.document({"path": str(output), "to": to, "notes": notes, "warnings": rows})


def _native(file: ConfigFile) -> tuple[str, list[str]]:
    text = write_config(file.reading.config, file.reading.switched_off)
    return text, origin_notes(file)


def _legacy(file: ConfigFile) -> tuple[str, list[str]]:
    require_complete(file)
    config = file.completion.config
    notes = [*origin_notes(file), *map(str, legacy_losses(config))]
    if file.reading.config.config_file.prebuilt:
        notes.append("config_file.prebuilt: written out; DLAE 1.0 has no such setting")
    return write_legacy_config(config), notes
