"""The tables of an evaluation, as files."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dlae_client.cli.evaluate.options import Options
from dlae_client.cli.evaluate.work import Work
from dlae_client.errors import LocalFileError
from dlae_client.writing import written_whole
from dlae_core.evaluation.result import Result


def document(work: Work, result: Result, options: Options) -> dict[str, Any]:
    """Returns the summary as JSON values."""
    return {
        "source": work.source,
        "task": work.task.kind,
        "samples": len(work.data.names),
        "groups": len({case.group for case in result.cases}) if options.group_by else None,
        "bootstrap": {
            "draws": options.draws,
            "confidence": options.confidence,
            "seed": options.seed,
        },
        **result.to_json(),
        "output": None if options.output is None else str(options.output),
    }


def write_tables(folder: Path, result: Result, summary: dict[str, Any]) -> None:
    """Writes metrics.csv, summary.csv and summary.json.

    A group is told by number, as its name may tell a patient's.

    Raises:
        LocalFileError: They cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFileError(f"cannot write {folder}: {error.strerror}") from error
    keys = result.columns()
    head = ["sample", "samples", "group", *(key.column for key in keys)]
    rows = (
        [" ".join(case.samples), len(case.samples), case.group]
        + [_cell(case.values.get(key, math.nan)) for key in keys]
        for case in result.cases
    )
    _write(folder / "metrics.csv", _csv(head, rows))
    head = ["metric", "of", "unit", "value", "low", "high", "cases", "infinite"]
    measures = (
        [one.key.name, one.key.subject, one.key.unit]
        + [_cell(value) for value in (one.value, one.low, one.high)]
        + [one.cases, one.infinite]
        for one in result.measures
    )
    _write(folder / "summary.csv", _csv(head, measures))
    _write(folder / "summary.json", json.dumps(summary, indent=2) + "\n")


def _cell(value: float) -> str:
    """Returns a number as it was computed; nothing where it is not defined."""
    return "" if math.isnan(value) else repr(float(value))


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    with written_whole(path) as fresh:
        fresh.write_text(text, encoding="utf-8")
