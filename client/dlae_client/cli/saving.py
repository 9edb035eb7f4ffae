"""What a configuration wants saved, fetched to this side when training has succeeded."""

import csv
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlae_client.cli.context import Session
from dlae_client.client import Client
from dlae_client.configuration import read_text
from dlae_core.config.file_pattern import EPOCH, fields_of, filled

NETWORK = ".keras"
# Switch, path, file of the bundle and the extension that it needs.
FILES = (
    ("save_model_switch", "save_model_path", "model.keras", NETWORK),
    ("save_csv_switch", "save_csv_path", "history.csv", ""),
)
LOG = "events.out.tfevents."
_CHECKPOINT = re.compile(r"checkpoint-(\d+)\.keras")

Settings = Mapping[str, Any]


def save_settings(config: Path) -> Settings:
    """Returns the section `save_configurations` of a file that the server has accepted."""
    sections = json.loads(read_text(config.expanduser()))
    found = sections.get("save_configurations")
    return found if isinstance(found, dict) else {}


def save(session: Session, client: Client, settings: Settings, model: str) -> None:
    """Fetches what the configuration wants saved.

    Raises:
        LocalFileError: A file cannot be written.
        DataLost: What came is not what the server has.
    """
    for switch, key, file, extension in FILES:
        if path := _wanted(settings, switch, key):
            _fetch(session, client, model, file, _with(session, path, extension))
    if pattern := _wanted(settings, "save_checkpoints_switch", "save_checkpoints_path"):
        pattern = _with(session, pattern, NETWORK)
        for file, path in _checkpoints(client, model, pattern):
            _fetch(session, client, model, file, path)
    if folder := _wanted(settings, "save_tensorboard_switch", "save_tensorboard_path"):
        # Logs of other models may lie in the same folder.
        path = folder / f"{LOG}{model.replace('@', '-')}"
        _fetch(session, client, model, f"{LOG}dlae", path)


def _wanted(settings: Settings, switch: str, key: str) -> Path | None:
    text = str(settings.get(key, "")).strip()
    is_on = str(settings.get(switch)).strip().lower() == "true"
    return Path(text).expanduser() if is_on and text else None


def _with(session: Session, path: Path, extension: str) -> Path:
    # What looks like an extension can be the end of a field: `{loss:.3f}`.
    suffix = "" if "}" in path.suffix else path.suffix
    if not extension or suffix == extension:
        return path
    session.say(f"note: models are saved as {extension}, not as {suffix or 'folders'}")
    return path.with_name(path.name.removesuffix(suffix) + extension)


def _fetch(session: Session, client: Client, model: str, file: str, path: Path) -> None:
    client.fetch(model, path, file, overwrite=True)
    session.say(f"wrote {path}")


def _checkpoints(client: Client, model: str, pattern: Path) -> Iterator[tuple[str, Path]]:
    """Yields the checkpoints of a model, each with where it is to go."""
    found = [_CHECKPOINT.fullmatch(file.name) for file in client.model(model).files]
    epochs = {int(match[1]): match[0] for match in found if match}
    metrics: list[dict[str, float]] = []
    if epochs and set(fields_of(str(pattern))) - {EPOCH}:
        metrics = _history(client, model)
    for epoch, file in sorted(epochs.items()):
        row = metrics[epoch - 1] if metrics else {}
        yield file, Path(filled(str(pattern), epoch, row))


def _history(client: Client, model: str) -> list[dict[str, float]]:
    """Returns the metrics of every epoch."""
    with tempfile.TemporaryDirectory() as scratch:
        path = client.fetch(model, Path(scratch) / "history.csv", "history.csv")
        with path.open(encoding="utf-8", newline="") as file:
            return [
                {name: float(value) for name, value in row.items() if value}
                for row in csv.DictReader(file)
            ]
