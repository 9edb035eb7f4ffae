"""The table of an evaluation."""

import math
from collections.abc import Iterator

from dlae_client.cli.evaluate.options import Options
from dlae_client.cli.evaluate.work import Work
from dlae_client.cli.tables import number, table
from dlae_core.evaluation.measures import Key, Measure
from dlae_core.evaluation.result import Result

_HEAD = ("metric", "of", "value", "interval", "cases", "infinite")


def lines(work: Work, result: Result, options: Options) -> Iterator[str]:
    """Yields what was evaluated, then a line per metric."""
    samples = len(work.data.names)
    grouped = f" in {len({case.group for case in result.cases})} groups" if options.group_by else ""
    yield f"{work.source}: {work.task.kind}, {samples} samples{grouped}"
    columns = [0, 1, 2, 3, 4, 5]
    if not any(one.key.subject for one in result.measures):
        columns.remove(1)
    if not options.draws:
        columns.remove(3)
    if not any(one.infinite for one in result.measures):
        columns.remove(5)
    head = [_HEAD[column] for column in columns]
    if options.draws:
        head[columns.index(3)] = f"{100 * options.confidence:g} % interval"
    rows = [[_cells(one)[column] for column in columns] for one in result.measures]
    yield table(head, rows)


def metric(key: Key) -> str:
    """Returns a metric's name with its unit: `hd95 (mm)`."""
    return f"{key.name} ({key.unit})" if key.unit else key.name


def _cells(one: Measure) -> tuple[str, ...]:
    known = not math.isnan(one.low)
    return (
        metric(one.key),
        one.key.subject,
        "not defined" if math.isnan(one.value) else number(one.value),
        f"{number(one.low)} to {number(one.high)}" if known else "",
        str(one.cases),
        str(one.infinite),
    )
