"""Phrases that error messages share: values shown shortly, names that are meant, expectations."""

import difflib
from collections.abc import Iterable

from dlae_core.config.schema import Setting

_SHOWN_CHARACTERS = 60
_KINDS = {
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number",
    "text": "a text",
    "numbers": "a list of numbers or of lists of numbers",
    "parts": "a text with colons",
    "parts_list": "texts with colons",
    "layer": "a list of layer strings",
}


def shown(value: object) -> str:
    """Returns a value as a message shows it: quoted, short, and always valid UTF-8."""
    text = repr(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Returns the name that was probably meant, whatever its case."""
    known = {candidate.casefold(): candidate for candidate in names}
    # Matching takes time in the square of the length; no name is longer than this.
    found = difflib.get_close_matches(name.casefold()[:80], known, n=1)
    return known[found[0]] if found else None


def suggestion(name: str, names: Iterable[str]) -> str:
    """Returns `; did you mean 'Adam'?`, or nothing where no name is near."""
    found = nearest(name, names)
    return f"; did you mean '{found}'?" if found else ""


def expected_kind(setting: Setting) -> str:
    """Returns what kind of value a setting takes: `numbers such as (3, 3), or None`."""
    one = _KINDS[setting.kind]
    listed = setting.repeated and setting.kind not in ("numbers", "layer")
    phrase = f"{one}, or several in brackets" if listed else one
    return f"{phrase}, or None" if setting.options.none_allowed else phrase


def expected_range(setting: Setting, number: float | None = None) -> str:
    """Returns the range of a setting: `at least 0 and below 1`.

    Args:
        setting: Of numbers.
        number: One that is outside of it; None to tell what the schema states.
    """
    options, low, high = setting.options, setting.minimum, setting.maximum
    # A field type's own range goes without saying, but for the number that breaks it.
    is_low = number is not None and low is not None and number < low
    is_high = number is not None and high is not None and number > high
    says_low, says_high = options.HasField("min") or is_low, options.HasField("max") or is_high
    bounds = (
        ("at least", low, says_low),
        ("above", options.above, options.HasField("above")),
        ("at most", high, says_high),
        ("below", options.below, options.HasField("below")),
    )
    return " and ".join(f"{word} {bound:.15g}" for word, bound, stated in bounds if stated)
