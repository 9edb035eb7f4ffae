"""One value of a configuration: from DLAE 1.0's text or from native JSON to Python.

A blank text and null mean that nothing is given. Texts are read as literals only; nothing in a
configuration is ever evaluated.
"""

import ast
import math
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from dlae_core.config.schema import Setting
from dlae_core.config.wording import expected_kind, shown

MAX_CHARACTERS = 10_000
MAX_ITEMS = 10_000
# No field type holds more; beyond the range of floating-point numbers, comparisons fail.
_LARGEST = 2**64

# A flat list of numbers stands for one list here, and for one item per number everywhere else.
_ONE_LIST_WHEN_FLAT = ("aspect_ratios",)


class UnreadableValue(ValueError):
    """A value that is not of its setting's kind; says what was expected and what came."""


def read_value(setting: Setting, given: object) -> Any:
    """Returns the value of a setting in the form of `schema.value_of`; None: not given, or None.

    Args:
        setting: Of a kind other than `layer`, `parts` and `section`.
        given: What stands in the file.

    Raises:
        UnreadableValue: It is not of the setting's kind.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return "" if given is not None and _is_free_text(setting) else None
    if setting.options.none_allowed and isinstance(given, str) and given.strip() == "None":
        return None
    try:
        return _read(setting, given)
    except (ValueError, TypeError, OverflowError) as error:
        hint = f" ({error})" if isinstance(error, UnreadableValue) else ""
        message = f"expected {expected_kind(setting)}, got {shown(given)}{hint}"
        raise UnreadableValue(message) from error


@cache
def default_of(setting: Setting) -> Any:
    """Returns the default of a setting as `read_value` gives it; None where there is none."""
    return None if setting.default is None else read_value(setting, setting.default)


def _is_free_text(setting: Setting) -> bool:
    return setting.kind == "text" and not setting.choices


def _read(setting: Setting, given: object) -> Any:
    if setting.kind == "numbers":
        return _nested(setting, given)
    read = _SCALARS[setting.kind]
    if setting.repeated:
        return tuple(read(item) for item in _items(given))
    return read(given)


def _nested(setting: Setting, given: object) -> tuple[tuple[float, ...], ...]:
    items = _items(given)
    flat = not any(isinstance(item, list | tuple) for item in items)
    if flat and setting.name in _ONE_LIST_WHEN_FLAT:
        return (tuple(_number(item) for item in items),)
    return tuple(
        tuple(_number(number) for number in item)
        if isinstance(item, list | tuple)
        else (_number(item),)
        for item in items
    )


def _items(given: object) -> list[Any] | tuple[Any, ...]:
    """Returns the items of a list: native, in brackets, bare with commas, or a single one."""
    value = _literal(given.strip()) if isinstance(given, str) else given
    items = value if isinstance(value, list | tuple) else [value]
    if len(items) > MAX_ITEMS:
        raise UnreadableValue(f"longer than {MAX_ITEMS} items")
    return items


@lru_cache(maxsize=1024)
def _literal(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise UnreadableValue(f"longer than {MAX_CHARACTERS} characters")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise UnreadableValue("not a list of numbers") from error


def _bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.strip() in ("True", "False"):
        return given.strip() == "True"
    raise ValueError(given)


def _whole(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(given)
    number = int(given)
    if not isinstance(given, str) and number != given:
        raise ValueError(given)
    if abs(number) > _LARGEST:
        raise UnreadableValue("too many digits")
    return number


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(given)
    number = float(given)
    if not math.isfinite(number):
        raise UnreadableValue("not a finite number")
    return number


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError(given)
    given.encode()
    return given.strip()


_SCALARS: Mapping[str, Callable[[object], Any]] = {
    "bool": _bool,
    "int": _whole,
    "float": _number,
    "text": _text,
}
