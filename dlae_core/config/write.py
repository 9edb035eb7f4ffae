"""Writing: a configuration message to its canonical JSON text."""

import json
from typing import Any

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_text import format_layer
from dlae_core.config.parts import parts_text, write_parts
from dlae_core.config.schema import Setting, settings_of, value_of


def write_config(config: Config, switched_off: frozenset[str] = frozenset()) -> str:
    """Returns the canonical text of a configuration: what is set, in schema order, native types.

    Keys have DLAE 1.0's spelling; layers and the optimizers of a GAN are colon-separated texts.
    Reading the text gives the same configuration again.

    Args:
        config: Need not be complete.
        switched_off: Paths of settings that are `None`, as `read_config` gives them.

    Raises:
        ValueError: A layer has no type.
    """
    return json.dumps(_fields(config, "", switched_off), indent=1, ensure_ascii=False) + "\n"


def _fields(message: Message, prefix: str, switched_off: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for row in settings_of(message).values():
        value = value_of(message, row)
        if value is not None and row.kind == "section":
            fields[row.key] = _fields(value, f"{row.key}.", switched_off)
        elif value is not None:
            fields[row.key] = _json(row, value)
        elif prefix + row.key in switched_off:
            fields[row.key] = "None"
    return fields


def _json(row: Setting, value: Any) -> Any:
    if row.kind == "parts":
        return ":".join(write_parts(value))
    if row.kind == "parts_list":
        return [parts_text(inner) for inner in value]
    if row.kind == "layer":
        return [format_layer(layer) for layer in value]
    return value
