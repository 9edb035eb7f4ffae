"""`dlae-client models compare`."""

from dataclasses import asdict

import click

from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.tables import number, table
from dlae_client.comparison import Comparison, Pair

LONGEST = 40


@click.command(epilog=examples("models compare tissue@2 tissue@3"))
@click.argument("first", shell_complete=model_references)
@click.argument("second", shell_complete=model_references)
@command
def compare(session: Session, first: str, second: str) -> None:
    """Shows what differs between two models: settings, data and metrics."""
    with session.client() as client:
        found = client.compare(first, second)
    session.document(asdict(found))
    session.print(table(("", found.first, found.second, "change"), _rows(found)))


def _rows(found: Comparison) -> list[tuple[str, str, str, str]]:
    pairs = found.facts | found.settings | found.data
    rows = [(name, _text(one), _text(other), "") for name, (one, other) in pairs.items()]
    return rows + [_metric(name, pair) for name, pair in found.metrics.items()]


def _metric(name: str, pair: Pair) -> tuple[str, str, str, str]:
    one, other = ("-" if value is None else number(value) for value in pair)
    change = "" if None in pair else f"{pair[1] - pair[0]:+.3g}"
    return name, one, other, change


def _text(value: object) -> str:
    text = "-" if value in (None, "") else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
