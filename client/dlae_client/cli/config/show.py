"""`dlae-client config show`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from google.protobuf.message import Message

from dlae_client.cli.config.reading import origin_notes, read_config_file, require_complete, tell
from dlae_client.cli.context import Session, examples, local_command, violation_rows
from dlae_client.cli.tables import table
from dlae_core.config import Completion, Origin
from dlae_core.config.layer_text import format_layer
from dlae_core.config.legacy import legacy_text
from dlae_core.config.parts import parts_text
from dlae_core.config.schema import Setting, sections, settings_of, value_of


@click.command(epilog=examples("config show config.json --section augmentation"))
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--section", metavar="NAME", type=click.Choice(list(sections())), help="One only.")
@local_command
def show(session: Session, config: Path, section: str | None) -> None:
    """Shows every setting of CONFIG: its value and where it came from.

    A value is of the file, of the prebuilt network that the file names, of a rule that derives it
    from other settings, or a default. Exits with 3 where something in the file cannot be read.
    """
    file = read_config_file(config)
    require_complete(file)
    names = list(sections()) if section is None else [section]
    notes, found = origin_notes(file), list(_settings(file.completion, names))
    lists = _layer_lists(file.completion) if "layers" in names else {}
    tell(session, file, notes)
    blocks = [_table(found)] if found else []
    session.print("\n\n".join([*blocks, *map(_numbered, lists.items())]))
    warnings = violation_rows(file.warnings)
    session.document({"settings": found, "layers": lists, "notes": notes, "warnings": warnings})


def _settings(completion: Completion, names: list[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        section: Message = getattr(completion.config, sections()[name].name)
        yield from _rows(section, f"{name}.", completion.origins)


def _rows(message: Message, prefix: str, origins: Mapping[str, Origin]) -> Iterator[dict[str, Any]]:
    for row in settings_of(message).values():
        path, value = prefix + row.key, value_of(message, row)
        if row.kind == "parts":
            yield from _rows(value, f"{path}.", origins)
        elif row.kind != "layer":
            yield {
                "path": path,
                "value": _plain(row, value),
                "text": legacy_text(row, value),
                "origin": origins[path],
                "unit": row.options.unit,
            }


def _plain(row: Setting, value: Any) -> Any:
    """Returns a value as JSON can hold it."""
    return [parts_text(inner) for inner in value] if value and row.kind == "parts_list" else value


def _table(found: list[dict[str, Any]]) -> str:
    rows: list[tuple[str, str, str]] = []
    section = ""
    for row in found:
        name, _, key = row["path"].partition(".")
        if name != section:
            rows.append((name, "", ""))
        unit = row["unit"] if row["value"] is not None else ""
        rows.append((f"  {key}", row["origin"], f"{row['text']} {unit}"))
        section = name
    return table(("setting", "from", "value"), rows)


def _layer_lists(completion: Completion) -> dict[str, dict[str, Any]]:
    message = completion.config.layers
    return {
        key: {
            "origin": completion.origins[f"layers.{key}"],
            "layers": [format_layer(layer) for layer in layers],
        }
        for key, row in settings_of(message).items()
        if (layers := value_of(message, row))
    }


def _numbered(item: tuple[str, dict[str, Any]]) -> str:
    key, rows = item
    width = len(str(len(rows["layers"]) - 1))
    lines = [f"{number:>{width}}  {text}" for number, text in enumerate(rows["layers"])]
    return "\n".join([f"layers.{key}, from {rows['origin']}", *lines])
