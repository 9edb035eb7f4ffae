"""Colon-separated text: the fields of a message in order, as layers and GAN optimizers have them.

    Convolution 2D:64:(3, 3):(1, 1):same        Adam:0.9:0.999:0.9:0.0:None

An empty part, `None` and a part left out at the end all mean that the field is not given.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from dlae_core.config.limits import violations_of
from dlae_core.config.literals import UnreadableValue, default_of, read_value
from dlae_core.config.schema import Setting, assign, settings_of, value_of
from dlae_core.errors import Violation

_OPENING, _CLOSING = "([{", ")]}"


def split_parts(text: str) -> list[str]:
    """Returns the parts of a text, split at the colons outside brackets, without outer blanks."""
    parts, start, depth = [], 0, 0
    for position, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == ":" and depth <= 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def read_parts(message: Message, parts: Sequence[str], rank: int = 0) -> list[Violation]:
    """Fills a message from its parts; returns what is wrong, with the fields' names as paths.

    Args:
        message: Takes the values that are given and right; the others stay unset.
        parts: Without the layer's name.
        rank: Number of spatial axes that the layer's name states; 0 for none.
    """
    rows = list(settings_of(message).values())
    found = []
    for row, part in zip(rows, parts, strict=False):
        if part and part != "None":
            found += _read_part(message, row, part, rank)
    if any(parts[len(rows) :]):
        names = ", ".join(row.key for row in rows) or "none"
        sentence = f"expected at most {len(rows)} fields ({names}), got {len(parts)}"
        found.append(Violation("", "TOO_MANY_FIELDS", sentence))
    return found


def fill_defaults(message: Message, rank: int = 0) -> None:
    """Fills the fields that are not set; one number alone is repeated for all axes."""
    for row in settings_of(message).values():
        if row.kind == "parts":
            _fill_parts(message, row)
        elif row.kind != "layer":
            value = value_of(message, row)
            complete = default_of(row) if value is None else value
            if value is None or row.options.per_axis:
                assign(message, row, per_axis(row, complete, rank))


def per_axis(setting: Setting, value: Any, rank: int) -> Any:
    """Returns a list of one number repeated for all axes, and any other value as it is."""
    if value and setting.options.per_axis and rank and len(value) == 1:
        return value * rank
    return value


def write_parts(message: Message) -> list[str]:
    """Returns all fields of a message as texts, `None` for those not set."""
    return [_text(value_of(message, row), row) for row in settings_of(message).values()]


def _read_part(message: Message, row: Setting, part: str, rank: int) -> list[Violation]:
    try:
        value = per_axis(row, read_value(row, part), rank)
    except UnreadableValue as error:
        return [Violation(row.key, "INVALID_VALUE", str(error))]
    found = violations_of(row, value, row.key, rank)
    if not found:
        assign(message, row, value)
    return found


def _fill_parts(message: Message, row: Setting) -> None:
    inner = getattr(message, row.name)
    if not message.HasField(row.name) and row.default:
        read_parts(inner, split_parts(row.default))
    inner.SetInParent()
    fill_defaults(inner)


def _text(value: Any, row: Setting) -> str:
    if value is None:
        return "None" if row.options.none_allowed else ""
    return str(value)
