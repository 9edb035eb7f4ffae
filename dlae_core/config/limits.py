"""What a single value must satisfy: length, choices, range, as the schema states them."""

import math
from collections.abc import Iterator
from typing import Any

from dlae_core.config.schema import Setting
from dlae_core.config.wording import expected_range, shown, suggestion
from dlae_core.errors import Violation


def violations_of(setting: Setting, value: Any, path: str, rank: int = 0) -> list[Violation]:
    """Returns what is wrong with a value.

    Args:
        setting: What it must satisfy; of a kind other than `layer`, `parts` and `section`.
        value: As `schema.value_of` returns it.
        path: Where it stands.
        rank: Number of spatial axes of the layer it belongs to; 0 for none.
    """
    if value is None:
        return [_missing(path)] if setting.options.required else []
    if not setting.repeated:
        return list(_item_violations(setting, value, path))
    found = length_violations(setting, len(value), path, rank)
    for position, item in enumerate(value):
        found += _item_violations(setting, item, f"{path}[{position}]")
    return found


def length_violations(setting: Setting, length: int, path: str, rank: int = 0) -> list[Violation]:
    """Returns what is wrong with the length of a list."""
    return list(_length_violations(setting, length, path, rank))


def _missing(path: str) -> Violation:
    return Violation(path, "MISSING", "expected a value, got none")


def _length_violations(setting: Setting, length: int, path: str, rank: int) -> Iterator[Violation]:
    options = setting.options
    if (options.per_axis or options.pairs) and rank and length != rank:
        one = "pair (before, after)" if options.pairs else "number"
        message = f"expected one {one}, or {rank}, one per spatial axis, got {length}"
        yield Violation(path, "WRONG_LENGTH", message)
    bounds = (
        ("at least", options.min_items, length < options.min_items),
        (
            "at most",
            options.max_items,
            options.HasField("max_items") and length > options.max_items,
        ),
    )
    for word, bound, broken in bounds:
        if broken:
            yield Violation(path, "WRONG_LENGTH", f"expected {word} {bound} items, got {length}")


def _item_violations(setting: Setting, item: Any, path: str) -> Iterator[Violation]:
    if setting.choices and item not in setting.choices:
        allowed = ", ".join(setting.choices)
        none = ", or None" if setting.options.none_allowed else ""
        meant = suggestion(str(item), setting.choices)
        message = f"expected one of {allowed}{none}, got {shown(item)}{meant}"
        yield Violation(path, "NOT_ALLOWED", message)
    if setting.kind in ("int", "float"):
        yield from _number_violations(setting, item, path)
    if setting.kind == "numbers":
        yield from _list_violations(setting, item, path)


def _list_violations(
    setting: Setting, numbers: tuple[float, ...], path: str
) -> Iterator[Violation]:
    if not numbers:
        yield Violation(path, "WRONG_LENGTH", "expected at least one number, got an empty list")
    if setting.options.pairs and len(numbers) > 2:
        message = f"expected a pair (before, after), got {len(numbers)} numbers"
        yield Violation(path, "WRONG_LENGTH", message)
    if setting.options.pairs and not all(float(number).is_integer() for number in numbers):
        yield Violation(path, "INVALID_VALUE", f"expected whole numbers, got {shown(numbers)}")
    for number in numbers:
        broken = list(_number_violations(setting, number, path))
        if broken:
            # One sentence per inner list is enough to find and mend it.
            yield broken[0]
            return


def _number_violations(setting: Setting, number: float, path: str) -> Iterator[Violation]:
    if not math.isfinite(number):
        yield Violation(path, "INVALID_VALUE", f"expected a finite number, got {number}")
    elif not _in_range(setting, number):
        unit = f" {setting.options.unit}" if setting.options.unit else ""
        message = f"expected a number {expected_range(setting, number)}{unit}, got {number:.15g}"
        yield Violation(path, "OUT_OF_RANGE", message)


def _in_range(setting: Setting, number: float) -> bool:
    options = setting.options
    return (
        (setting.minimum is None or number >= setting.minimum)
        and (setting.maximum is None or number <= setting.maximum)
        and (not options.HasField("above") or number > options.above)
        and (not options.HasField("below") or number < options.below)
    )
