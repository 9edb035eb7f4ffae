"""Options of commands that list: which rows, and how many."""

import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import click

from dlae_client.errors import InvalidRequest

_FORM = re.compile(r"(?P<path>[^=!<>~]+)(?P<sign>!=|<=|>=|=|<|>|~)(?P<wanted>.*)", re.DOTALL)
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Row = Mapping[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Condition:
    """What a row has to be.

    Attributes:
        path: Keys of the JSON document: `metrics.loss` as two.
        sign: How the value is compared.
        wanted: With what.
    """

    path: tuple[str, ...]
    sign: str
    wanted: str

    def holds(self, row: Row) -> bool:
        """Returns whether a row has such a value; where it has none, only `!=` holds."""
        value: Any = row
        for key in self.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            return self.sign == "!="
        values = value if isinstance(value, list) else [value]
        held = (self._compares(one) for one in values)
        return all(held) if self.sign == "!=" else any(held)

    def _compares(self, value: Any) -> bool:
        if self.sign == "~":
            return self.wanted.casefold() in _word(value).casefold()
        number = _number(self.wanted)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and number is not None:
            return bool(_SIGNS[self.sign](value, number))
        return bool(_SIGNS[self.sign](_word(value), self.wanted))


@dataclass(frozen=True)
class Wanted:
    """Which rows of a list are wanted.

    Attributes:
        limit: How many at most; None: all.
        conditions: What all of them have to be.
    """

    limit: int | None = None
    conditions: tuple[Condition, ...] = ()

    def of(
        self, found: Iterable[Found], values: Callable[[Found], Row], keys: Iterable[str]
    ) -> list[Found]:
        """Returns those that are wanted, asking for no more than that.

        Args:
            found: All, as they come.
            values: Returns the JSON document of one.
            keys: The keys that such documents may have.

        Raises:
            InvalidRequest: A condition is about another key.
        """
        known = tuple(keys)
        for condition in self.conditions:
            if condition.path[0] not in known:
                raise InvalidRequest(
                    f"expected --filter with one of {', '.join(known)}, got '{condition.path[0]}'",
                    "USAGE",
                )
        return list(islice(self._held(found, values), self.limit))

    def called(self, rows: str) -> str:
        """Returns what there is none of, where there is none: `jobs yet`."""
        return f"{rows} like that" if self.conditions else f"{rows} yet"

    def _held(self, found: Iterable[Found], values: Callable[[Found], Row]) -> Iterator[Found]:
        for one in found:
            if not self.conditions:
                yield one
                continue
            row = values(one)
            if all(condition.holds(row) for condition in self.conditions):
                yield one


EVERYTHING = Wanted()


def listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options `--filter` and `--limit`; it gets them as `wanted`."""

    def run(*arguments: Any, **values: Any) -> Any:
        wanted = Wanted(values.pop("limit"), values.pop("conditions"))
        return function(*arguments, wanted=wanted, **values)

    given: Callable[..., Any] = functools.update_wrapper(run, function)
    for option in (_LIMIT, _FILTER):
        given = option(given)
    return given


def _conditions(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Condition, ...]:
    found = []
    for text in texts:
        match = _FORM.fullmatch(text)
        if match is None:
            raise click.BadParameter(
                f"expected KEY=VALUE, or !=, <, <=, >, >= or ~ (holds) for =, got '{text}'"
            )
        # Names of metrics and labels may have dots: only the first divides.
        path = tuple(match["path"].strip().split(".", 1))
        found.append(Condition(path, match["sign"], match["wanted"].strip()))
    return tuple(found)


_FILTER = click.option(
    "--filter",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_conditions,
    help="Only rows whose JSON has this; also !=, <, <=, >, >= and ~ (holds); repeatable.",
)
_LIMIT = click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Only the first N.  [default: all]"
)


def _word(value: Any) -> str:
    """Returns a value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
