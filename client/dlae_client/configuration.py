"""Configurations on the client's side: found, and their relative paths made absolute."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae.v1.training_pb2 import ConfigSource
from dlae_client.errors import InvalidRequest, LocalFileError
from dlae_core.config.references import (
    INFERENCE,
    is_dataset_reference,
    is_model_reference,
    is_reference,
)
from dlae_core.layers.language import LayerSyntaxError, format_layer, parse_layer

# Weights of a backbone that are no file.
_NO_FILE = ("", "none", "None", "imagenet")

Configuration = str | Path | Mapping[str, Any] | Config | ConfigSource


def config_source(configuration: Configuration) -> ConfigSource:
    """Returns a configuration as it is sent.

    Relative paths of the section `paths`, and of the weights of backbones, are made absolute:
    against the folder of the file, or the current folder where there is no file. A text that is not
    JSON goes as it is; the server says what is wrong with it.

    Args:
        configuration: Path of a JSON file, its content as a dictionary, a message, or what this
            function returned.

    Raises:
        LocalFileError: The file cannot be read.
        InvalidRequest: The dictionary holds what JSON cannot.
    """
    if isinstance(configuration, ConfigSource):
        return configuration
    if isinstance(configuration, Config):
        return ConfigSource(config=_absolute_message(configuration, Path.cwd()))
    if isinstance(configuration, Mapping):
        return ConfigSource(json=_json(_absolute(dict(configuration), Path.cwd())))
    path = Path(configuration).expanduser()
    text = read_text(path)
    try:
        sections = json.loads(text)
        if _has_duplicates(text):
            return ConfigSource(json=text)
    except (ValueError, RecursionError):
        return ConfigSource(json=text)
    return ConfigSource(json=json.dumps(_absolute(sections, path.absolute().parent)))


def read_text(path: Path) -> str:
    """Returns the text of a configuration file.

    Raises:
        LocalFileError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LocalFileError(f"cannot read {path}: expected JSON in UTF-8") from error


def is_inference(text: str) -> bool:
    """Returns whether a text is the configuration of an inference session, as far as one can tell.

    What is wrong with it, the server says.
    """
    try:
        found = json.loads(text)["config_file"]["type_signal"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return False
    return str(found).strip() == INFERENCE


def model_name(configuration: Configuration) -> str:
    """Returns the allowed name of a model that is most like the name of a configuration's file.

    A configuration that is no file gives `model`.
    """
    stem = Path(configuration).stem if isinstance(configuration, (str, Path)) else ""
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).lstrip("._-")[:64] or "model"


def _json(sections: Any) -> str:
    try:
        return json.dumps(sections, default=os.fspath)
    except (TypeError, ValueError) as error:
        message = f"expected a configuration of texts, numbers, lists and dictionaries: {error}"
        raise InvalidRequest(message, "INVALID_REQUEST") from error


def _absolute(sections: Any, folder: Path) -> Any:
    if not isinstance(sections, dict):
        return sections
    changed = dict(sections)
    if isinstance(sections.get("paths"), Mapping):
        paths = sections["paths"].items()
        changed["paths"] = {key: _path(value, folder, key) for key, value in paths}
    if isinstance(sections.get("layers"), Mapping):
        lists = sections["layers"].items()
        changed["layers"] = {key: _layers(value, folder) for key, value in lists}
    return changed


def _layers(layers: Any, folder: Path) -> Any:
    if not isinstance(layers, list):
        return layers
    return [_layer(text, folder) if isinstance(text, str) else text for text in layers]


def _layer(text: str, folder: Path) -> str:
    """Returns a layer string; where it names a file of weights, with its absolute path."""
    try:
        layer = parse_layer(text)
    except LayerSyntaxError:
        return text
    return format_layer(layer) if _made_absolute(layer, folder) else text


def _made_absolute(layer: Layer, folder: Path) -> bool:
    """Makes the path of a backbone's weights absolute; returns whether there is one."""
    found = layer.WhichOneof("type") == "backbone" and layer.backbone.weights not in _NO_FILE
    if found:
        layer.backbone.weights = _path(layer.backbone.weights, folder)
    return found


def _absolute_message(config: Config, folder: Path) -> Config:
    absolute = Config()
    absolute.CopyFrom(config)
    for field, value in config.paths.ListFields():
        setattr(absolute.paths, field.name, _path(value, folder, field.name))
    for _, layers in absolute.layers.ListFields():
        for layer in layers:
            _made_absolute(layer, folder)
    return absolute


def _path(value: Any, folder: Path, key: str = "") -> Any:
    """Returns a path made absolute; what names something on the server, as it is."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        return value
    text = str(value).strip()
    path = (folder / Path(text).expanduser()).resolve()
    named = key == "load_model" and is_model_reference(text) and not path.exists()
    kept = is_reference(text) or is_dataset_reference(text) or named
    return value if kept else str(path)


def _has_duplicates(text: str) -> bool:
    """Returns whether a key stands twice: reading and writing again would hide that."""
    found = False

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len({key for key, _ in pairs}) < len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=check)
    return found
