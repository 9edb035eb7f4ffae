"""File names with the epoch and metrics in them: `unet-{epoch:02d}-{val_loss:.3f}.keras`."""

import re
from collections.abc import Mapping

# Neither attributes nor items nor wide fields: a name and how many digits.
_FIELD = re.compile(r"\{(\w+)(?::(\d{0,2}(?:\.\d{1,2})?[deEfFgG]?))?\}")
EPOCH = "epoch"


def fields_of(pattern: str) -> list[str]:
    """Returns what stands in braces in a file name.

    Raises:
        ValueError: A brace is left that is not part of a field.
    """
    if "{" in (rest := _FIELD.sub("", pattern)) or "}" in rest:
        raise ValueError(pattern)
    return [match[1] for match in _FIELD.finditer(pattern)]


def filled(pattern: str, epoch: int, metrics: Mapping[str, float]) -> str:
    """Returns a file name.

    Args:
        pattern: Checked by `fields_of`.
        epoch: From 1.
        metrics: Of that epoch.

    Raises:
        ValueError: A number cannot be written as the pattern says.
        KeyError: There is no such metric.
    """

    def written(match: re.Match[str]) -> str:
        value = epoch if match[1] == EPOCH else metrics[match[1]]
        return format(value, match[2] or "")

    return _FIELD.sub(written, pattern)
