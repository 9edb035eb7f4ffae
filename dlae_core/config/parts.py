"""Colon-separated text: the fields of a message in order, as layers and GAN optimizers have them.

    Convolution 2D:64:(3, 3):(1, 1):same        Adam:0.9:0.999:0.9:0.0:None

An empty part, `None` and a part left out at the end all mean that the field is not given. The
field that holds a layer's name has no part. A text with colons or brackets in it is quoted.
"""

import ast
import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from dlae_core.config.limits import violations_of
from dlae_core.config.literals import UnreadableValue, default_of, read_value
from dlae_core.config.schema import Setting, assign, settings_of, value_of
from dlae_core.config.wording import shown
from dlae_core.errors import Violation

_OPENING, _CLOSING = "([{", ")]}"
_DRIVE = re.compile(r"\s*[A-Za-z]:[\\/]")
_QUOTED = re.compile(r"""\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*(?=:|$)""", re.DOTALL)
# A text with any of these is quoted, and so are the empty one and `None`.
_TO_BE_QUOTED = re.compile(r"[:'\"()\[\]{}]|^\s|\s$|^$|^None$")


def split_parts(text: str) -> list[str]:
    r"""Returns the parts of a text, split at colons, without outer blanks.

    Colons inside brackets and quotes, and that of a drive as in `C:\weights.h5`, do not split.
    """
    parts: list[str] = []
    position = 0
    while True:
        end = _end_of_part(text, position)
        parts.append(text[position:end].strip())
        if end == len(text):
            return parts
        position = end + 1


def read_parts(message: Message, parts: Sequence[str], rank: int = 0) -> list[Violation]:
    """Fills a message from its parts; returns what is wrong, with the fields' names as paths.

    Args:
        message: Takes the values that are given and right; the others stay unset.
        parts: Without the layer's name.
        rank: Number of spatial axes that the layer's name states; 0 for none.
    """
    rows = _rows_given(written_settings(message), parts)
    found = []
    for row, part in zip(rows, parts, strict=False):
        if part and part != "None":
            found += _read_part(message, row, part, rank)
    if any(parts[len(rows) :]):
        names = ", ".join(row.key for row in rows) or "none"
        sentence = f"expected at most {len(rows)} fields ({names}), got {len(parts)}"
        found.append(Violation("", "TOO_MANY_FIELDS", sentence))
    return found


def written_settings(message: Message) -> list[Setting]:
    """Returns the settings of a message that its text has a part for, in order."""
    return [row for row in settings_of(message).values() if not row.options.is_name]


def fill_defaults(message: Message, rank: int = 0) -> None:
    """Fills the fields that are not set; what is given once is repeated for all axes."""
    for row in settings_of(message).values():
        if row.kind == "parts":
            _fill_parts(message, row)
        elif row.kind == "parts_list":
            for inner in getattr(message, row.name):
                fill_defaults(inner)
        elif row.kind != "layer":
            value = value_of(message, row)
            complete = default_of(row) if value is None else value
            if value is None or row.options.per_axis or row.options.pairs:
                assign(message, row, per_axis(row, complete, rank))


def per_axis(setting: Setting, value: Any, rank: int) -> Any:
    """Returns a list of one item repeated for all axes, single numbers of pairs for both sides."""
    if not value:
        return value
    if setting.options.pairs:
        value = tuple(item * 2 if len(item) == 1 else item for item in value)
    elif not setting.options.per_axis:
        return value
    return value * rank if rank and len(value) == 1 else value


def write_parts(message: Message) -> list[str]:
    """Returns all fields of a message as texts, `None` for those not set."""
    return [
        _text(value_of(message, row), row)
        for row in written_settings(message)
        if not (row.options.skippable and _is_default(message, row))
    ]


def parts_text(message: Message) -> str:
    """Returns a message as the text of its fields; those not set at the end are left out."""
    return ":".join(write_parts(message)).rstrip(":")


def _is_default(message: Message, row: Setting) -> bool:
    value = value_of(message, row)
    axes = len(value) if row.repeated and value else 0
    return bool(value == per_axis(row, default_of(row), axes))


def _end_of_part(text: str, start: int) -> int:
    """Returns where the colon after a part stands, or the text ends."""
    if quoted := _QUOTED.match(text, start):
        return quoted.end()
    depth = 0
    drive = _DRIVE.match(text, start)
    for position in range(drive.end() if drive else start, len(text)):
        character = text[position]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == ":" and depth <= 0:
            return position
    return len(text)


def _rows_given(rows: list[Setting], parts: Sequence[str]) -> list[Setting]:
    """Returns the settings that the parts stand for: all but one that may be left out, and is."""
    for position, row in enumerate(rows[: min(len(parts), len(rows) - 1)]):
        if row.options.skippable:
            part = parts[position]
            is_word = part[:1].isalpha() and part != "None"
            is_short = part in ("", "None") and len(parts) == len(rows) - 1
            if is_word or is_short:
                return [*rows[:position], *rows[position + 1 :]]
    return rows


def _read_part(message: Message, row: Setting, part: str, rank: int) -> list[Violation]:
    try:
        value = per_axis(row, read_value(row, _unquoted(row, part)), rank)
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
    if row.kind == "text" and not row.choices and _TO_BE_QUOTED.search(value):
        return repr(value)
    return str(value)


def _unquoted(row: Setting, part: str) -> str:
    if row.kind == "text" and not row.choices and _QUOTED.fullmatch(part):
        try:
            return str(ast.literal_eval(part))
        except (ValueError, SyntaxError) as error:
            raise UnreadableValue(f"expected a text in quotes, got {shown(part)}") from error
    return part
