"""Writing: a configuration message to its canonical JSON text."""

import json
from typing import Any

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_text import format_layer
from dlae_core.config.parts import write_parts
from dlae_core.config.schema import Setting, settings_of, value_of


def write_config(config: Config) -> str:
    """Returns the canonical text of a configuration: what is set, in schema order, native types.

    Keys have DLAE 1.0's spelling; layers and the optimizers of a GAN are colon-separated texts.
    Reading the text gives the same configuration again.

    Raises:
        ValueError: A layer has no type.
    """
    return json.dumps(_fields(config), indent=1, ensure_ascii=False) + "\n"


def _fields(message: Message) -> dict[str, Any]:
    rows = ((row, value_of(message, row)) for row in settings_of(message).values())
    return {row.key: _json(row, value) for row, value in rows if value is not None}


def _json(row: Setting, value: Any) -> Any:
    if row.kind == "section":
        return _fields(value)
    if row.kind == "parts":
        return ":".join(write_parts(value))
    if row.kind == "layer":
        return [format_layer(layer) for layer in value]
    return value
