"""A row of the table of networks: how one is built, where its feature levels are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Image tensor, prefix of all names, whether the ImageNet classifier is kept; to the output.
Build = Callable[[Any, str, bool], Any]
Padding = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Level:
    """Where a feature level is taken.

    Attributes:
        layer: Name of the layer, without the prefix of the network.
        padding: Zeros (top, bottom), (left, right) that bring it to its size.
        normalized: Whether batch normalization and relu of its own follow.
    """

    layer: str
    padding: Padding | None = None
    normalized: bool = False


@dataclass(frozen=True)
class Backbone:
    """A network.

    Attributes:
        build: Makes it.
        levels: Its five feature levels, shallow to deep.
        scaling: What its ImageNet weights expect of their input, a name in `SCALINGS`.
        smallest_side: Rows and columns that an image must have.
    """

    build: Build
    levels: tuple[Level, ...]
    scaling: str
    smallest_side: int = 32


def levels(*layers: str) -> tuple[Level, ...]:
    """Returns levels that need no padding."""
    return tuple(map(Level, layers))
