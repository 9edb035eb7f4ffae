"""The JSON text of a configuration as a tree that still knows of keys written twice."""

import json
from dataclasses import dataclass
from typing import Any

from dlae_core.errors import Violation

MAX_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True)
class JsonObject:
    """A JSON object with its keys in order, doubles included.

    Attributes:
        pairs: Key and value; values are native, objects are of this class.
    """

    pairs: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        return "an object"


def read_document(text: str) -> JsonObject | Violation:
    """Returns the JSON object of a text, or the one thing that is wrong with the text."""
    if len(text) > MAX_CHARACTERS:
        return _invalid(f"expected at most {MAX_CHARACTERS} characters, got {len(text)}")
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: JsonObject(tuple(pairs)))
    except json.JSONDecodeError as error:
        return _invalid(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except (ValueError, RecursionError):
        return _invalid("not a configuration: nested too deeply, or a number with too many digits")
    if not isinstance(document, JsonObject):
        return _invalid("expected one JSON object holding the sections of a configuration")
    return document


def _invalid(message: str) -> Violation:
    return Violation("", "INVALID_JSON", message)
