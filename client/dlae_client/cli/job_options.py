"""Options of `train` and `run` that say how the server is to treat the job."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from dlae_client.jobs import JobOptions

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def amount(
    units: dict[str, int], example: str
) -> Callable[[click.Context, click.Parameter, str | None], int]:
    """Returns what reads a number with a unit as a whole number of the smallest; 0 where none is.

    Args:
        units: Letter of the unit -> how many of the smallest it has.
        example: What is allowed.
    """

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> int:
        match = re.fullmatch(rf"(\d+(?:\.\d+)?)([{''.join(units)}])", value or f"0{example[-1]}")
        if match is None:
            raise click.BadParameter(
                f"expected a number and one of {', '.join(units)}, as in {example}, got '{value}'"
            )
        return round(float(match[1]) * units[match[2]])

    return read


def labels_of(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Returns labels, each given as `NAME=VALUE`."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"expected NAME=VALUE, got '{value}'")
    return dict(value.split("=", 1) for value in values)


LABEL = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    callback=labels_of,
    help="Words to find the job by; repeatable.",
)
_OPTIONS = (
    click.option("--name", help="Name of the job and its model.  [default: the file's name]"),
    click.option("--detach", is_flag=True, help="Return as soon as the job is recorded."),
    click.option(
        "--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first."
    ),
    LABEL,
    click.option("--cores", type=click.IntRange(1), help="CPU cores.  [default: its share]"),
    click.option("--gpus", type=click.IntRange(1), help="GPUs.  [default: its share]"),
    click.option(
        "--machines", type=click.IntRange(1), help="Machines of a cluster that train together."
    ),
    click.option(
        "--time-limit",
        metavar="TIME",
        callback=amount(SECONDS, "90m"),
        help="Longest time to run: 90m, 12h.",
    ),
    click.option(
        "--memory-limit", metavar="SIZE", callback=amount(BYTES, "8G"), help="Most memory: 8G."
    ),
    click.option(
        "--request-id", help="Repeated with the same id, the command makes no second job."
    ),
)


@dataclass(frozen=True)
class Submission:
    """How a job is submitted.

    Attributes:
        name: Its name; None: that of the configuration's file.
        detach: Whether not to wait for its end.
        options: How it is to be treated.
    """

    name: str | None
    detach: bool
    options: JobOptions


def submitting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options; it gets them as `how`."""

    def run(*arguments: Any, **values: Any) -> Any:
        options = JobOptions(
            priority=values.pop("priority"),
            labels=values.pop("labels"),
            cores=values.pop("cores") or 0,
            gpus=values.pop("gpus") or 0,
            machines=values.pop("machines") or 0,
            time_limit_seconds=values.pop("time_limit"),
            memory_limit_bytes=values.pop("memory_limit"),
            request_id=values.pop("request_id") or "",
        )
        how = Submission(values.pop("name"), values.pop("detach"), options)
        return function(*arguments, how=how, **values)

    given: Callable[..., Any] = functools.update_wrapper(run, function)
    for option in reversed(_OPTIONS):
        given = option(given)
    return given
