"""Files of this machine that a configuration names, and references in their place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlae.v1.training_pb2 import ConfigSource
from dlae_core.config.references import INFERENCE, is_dataset_reference

# A training that goes on, and what every folder of a model holds.
CONTINUED = "Train from Checkpoint"
MANIFEST = "manifest.json"
# Key of the section `paths` to the field of its message, as far as the session reads the file.
TRAINING = {
    "train_X": "train_x",
    "train_y": "train_y",
    "validation_X": "validation_x",
    "validation_y": "validation_y",
    "split_groups": "split_groups",
}
CONTINUING = {"load_checkpoint": "load_checkpoint"}
PREDICTING = {"test_X": "test_x", "load_model": "load_model"}
_ALL = {**TRAINING, **CONTINUING, **PREDICTING}


@dataclass(frozen=True)
class Placed:
    """What became of a data file.

    Attributes:
        key: What it is in the configuration: `train_X`.
        path: The file on this machine.
        reference: What it is called on the server; empty where the server reads it where it lies.
        size_bytes: Its length.
        sent_bytes: How much of it was sent; 0 where the server had it.
    """

    key: str
    path: Path
    reference: str
    size_bytes: int
    sent_bytes: int


def local_files(source: ConfigSource) -> dict[str, Path]:
    """Returns the files of data and networks of a configuration that are on this machine, by key.

    Args:
        source: As `config_source` makes it: with absolute paths.
    """
    kind, paths = _paths(source)
    keys = _keys(kind)
    given = {key: paths[key] for key in keys if isinstance(paths.get(key), str)}
    return {
        key: Path(str(text))
        for key, text in given.items()
        if text and not is_dataset_reference(str(text)) and _is_file(Path(str(text)))
    }


def local_model(source: ConfigSource) -> Path | None:
    """Returns the folder of a model that a session of inference predicts with, on this machine.

    Args:
        source: As `config_source` makes it: with absolute paths.
    """
    kind, paths = _paths(source)
    text = str(paths.get("load_model") or "")
    marked = Path(text) / MANIFEST
    return Path(text) if kind == INFERENCE and text and _is_file(marked) else None


def with_references(source: ConfigSource, references: Mapping[str, str]) -> ConfigSource:
    """Returns a configuration with references in the place of files.

    Args:
        source: Of which `local_files` found files.
        references: The references by key.
    """
    if source.WhichOneof("source") == "config":
        changed = ConfigSource(config=source.config)
        for key, reference in references.items():
            setattr(changed.config.paths, _ALL[key], reference)
        return changed
    sections = json.loads(source.json)
    sections["paths"].update(references)
    return ConfigSource(json=json.dumps(sections))


def _keys(kind: str) -> dict[str, str]:
    if kind == INFERENCE:
        return PREDICTING
    return {**TRAINING, **CONTINUING} if kind == CONTINUED else TRAINING


def _paths(source: ConfigSource) -> tuple[str, Mapping[str, object]]:
    """Returns the kind of session of a configuration and its paths; nothing where it has none."""
    if source.WhichOneof("source") == "config":
        paths = source.config.paths
        found = {key: getattr(paths, field) for key, field in _ALL.items()}
        return source.config.config_file.type_signal, found
    try:
        sections = json.loads(source.json)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(sections, dict) or not isinstance(sections.get("paths"), dict):
        return "", {}
    file = sections.get("config_file")
    kind = file.get("type_signal") if isinstance(file, dict) else ""
    return str(kind).strip(), sections["paths"]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
