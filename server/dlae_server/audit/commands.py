"""The commands `dlae-server audit show`, `verify`, `export` and `provenance`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from dlae_server.audit.exporting import export_csv, export_lines
from dlae_server.audit.opening import read_key
from dlae_server.audit.provenance import differences, model_document, positions, read_document
from dlae_server.audit.reading import last_record, records
from dlae_server.audit.records import Position, Record
from dlae_server.audit.verifying import Report, verify
from dlae_server.models.stored import stored_model
from dlae_server.sentences import sentences
from dlae_server.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OUTPUT = click.Path(path_type=Path, dir_okay=False)
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
CHAIN = click.option("--chain", type=FILE, help="File of `audit export`.  [default: data folder]")


@click.group()
def audit() -> None:
    """Shows and verifies who did what; a server may be running."""


@audit.command()
@click.option("--since", type=TIME, help="From this time on, UTC: 2026-05-01T08:00:00.")
@click.option("--who", help="Name of the token or certificate.")
@click.option("--method", help="A call, such as Predict.")
@click.option("--model", help="`name` or `name@version`.")
@click.option("--job", help="Identifier of a job.")
@click.option("--tip", is_flag=True, help="Print SEQ:HASH of the last record only, to be kept.")
@AS_JSON
@click.pass_obj
def show(
    settings: Settings, /, since: datetime | None, tip: bool, as_json: bool, **wanted: str | None
) -> None:
    """Shows records, the oldest first."""
    with sentences():
        if tip:
            click.echo(str(last_record(settings.data_dir).position))
            return
        start = since.replace(tzinfo=UTC).isoformat().replace("+00:00", "") if since else ""
        for record in records(settings.data_dir):
            if str(record.facts.get("time", "")) >= start and _is_wanted(record, wanted):
                click.echo(json.dumps(record.whole()) if as_json else _told(record))


@audit.command("verify")
@click.option(
    "--expect",
    "expected",
    metavar="SEQ:HASH",
    multiple=True,
    help="What `show --tip` has printed: finds a log that was cut off or replaced; repeatable.",
)
@click.option("--key", "keys", type=FILE, multiple=True, help="A key that signs it; repeatable.")
@click.option("--record", "document", type=FILE, help="Document or answer to be proved.")
@CHAIN
@AS_JSON
@click.pass_obj
def check(
    settings: Settings,
    expected: tuple[str, ...],
    keys: tuple[Path, ...],
    document: Path | None,
    chain: Path | None,
    as_json: bool,
) -> None:
    """Verifies every record and that each goes on from the one before; exit code 1 where not."""
    with sentences():
        source = chain or settings.data_dir
        paths = keys or ((settings.audit_key,) if settings.audit_key else ())
        wanted = [Position.parsed(text) for text in expected]
        report = verify(source, [read_key(path) for path in paths], wanted)
        if document:
            told = read_document(document.read_text("utf-8", "replace"))
            report.findings += differences(told, source)
            proved = ", ".join(str(one.seq) for one in positions(told))
    if as_json:
        click.echo(json.dumps(_report(report)))
    else:
        click.echo("\n".join(f"{one.place}: {one.problem}" for one in report.findings) or "sound")
        click.echo(f"{report.records} records, {report.first.seq} to {report.tip}")
        if document and not report.findings:
            click.echo(f"{document} is what record {proved} says")
    if report.findings:
        raise click.exceptions.Exit(1)


@audit.command()
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--since", type=TIME, help="From the first record of this time on, UTC.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="[default: -]"
)
@click.pass_obj
def export(settings: Settings, kind: str, since: datetime | None, output: Path | None) -> None:
    """Writes the log so that `audit verify --chain FILE` verifies it without a server."""
    start = since.replace(tzinfo=UTC).isoformat().replace("+00:00", "") if since else ""
    write = export_csv if kind == "csv" else export_lines
    with sentences(), _opened(output) as file:
        count = write(settings.data_dir, file, start)
    click.echo(f"wrote {count} records", err=True)


@audit.command()
@click.argument("model")
@click.pass_obj
def provenance(settings: Settings, model: str) -> None:
    """Prints where MODEL comes from, for `audit verify --record`.

    One of another project than `default` is PROJECT/MODEL.
    """
    with sentences():
        found = stored_model(settings.data_dir, model)
        click.echo(json.dumps(model_document(found, settings.data_dir), indent=1))


def _is_wanted(record: Record, wanted: dict[str, str | None]) -> bool:
    facts = record.facts
    model, method = wanted["model"] or "", wanted["method"] or ""
    return (
        wanted["who"] in (None, facts.get("who"))
        and wanted["job"] in (None, facts.get("job"))
        and (not method or str(facts.get("call", "")).rpartition("/")[2] == method)
        and (not model or model in _names(facts))
    )


def _names(facts: dict[str, Any]) -> set[str]:
    """Returns what a model of a record is called."""
    reference = str(facts.get("model", ""))
    return {reference, reference.partition("@")[0], str(facts.get("name", ""))}


def _told(record: Record) -> str:
    facts = record.facts
    did = facts.get("call") or facts.get("what")
    by = f" by {facts['who']}" if facts.get("who") else ""
    at = f" from {facts['peer']}" if facts.get("peer") else ""
    outcome = " ".join(str(facts[name]) for name in ("status", "reason") if name in facts)
    rest = {n: v for n, v in facts.items() if n not in _HEAD and v is not None}
    about = " ".join(f"{name}={_short(value)}" for name, value in sorted(rest.items()))
    return f"{record.position.seq}  {facts.get('time')}  {did}{by}{at}  {outcome}  {about}".rstrip()


_HEAD = frozenset(
    {
        *("seq", "previous", "time", "call", "what", "who", "scope", "peer", "status", "reason"),
        *("request", "key", "mac"),
    }
)


def _short(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return f"{text[:12]}..." if len(text) == 64 else text


def _report(report: Report) -> dict[str, Any]:
    return {
        "sound": not report.findings,
        "records": report.records,
        "first": report.first.seq,
        "tip": str(report.tip),
        "findings": [vars(one) for one in report.findings],
    }


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file
