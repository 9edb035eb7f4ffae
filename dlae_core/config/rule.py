"""What a rule across settings is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dlae.v1.config_pb2 import Config
from dlae_core.errors import Violation

Find = Callable[[Config], Iterator[Violation]]


@dataclass(frozen=True)
class Rule:
    """One rule: the paths of the settings it reads, and what it finds in a resolved configuration.

    It is left out where one of its paths is doubtful, so that one mistake is not told twice.
    """

    paths: tuple[str, ...]
    find: Find
