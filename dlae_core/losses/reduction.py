"""Axes that losses reduce over."""

from typing import Any


def all_but_last(tensor: Any) -> tuple[int, ...]:
    """Returns the axes of a tensor but the class axis."""
    return tuple(range(len(tensor.shape) - 1))
