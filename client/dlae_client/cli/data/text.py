"""A report on a data set, for people."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dlae_client.cli.tables import table

if TYPE_CHECKING:
    from dlae_core.data.distribution import Distribution
    from dlae_core.data.report import FileReport, Report

LEVELS = "▁▂▃▄▅▆▇█"
CELLS = 48
SHOWN = 20

DISTRIBUTION_HEAD = ("", "minimum", "maximum", "mean", "deviation", "histogram")


def report_lines(report: "Report") -> Iterator[str]:
    """Yields the lines of a report; problems and warnings apart."""
    from dlae_core.data.report import MEANINGS  # noqa: PLC0415 - needs h5py

    yield f"images       {_file(report.images)}"
    yield from _forms(report.images)
    yield from _distributions(report.channels.components, "channel")
    yield ""
    meaning = MEANINGS.get(report.meaning)
    yield f"annotations  {_file(report.annotations)}" + (f", {meaning}" if meaning else "")
    yield from _forms(report.annotations)
    if report.labels.counts:
        yield from _classes(report)
    elif report.values.components:
        yield from _distributions(report.values.components, "value")
    if report.meaning == "boxes":
        yield from _boxes(report)
    yield ""


def sparkline(distribution: "Distribution") -> str:
    """Returns a histogram as a line of bars; heights are square roots of counts."""
    counts = distribution.histogram.counts
    # Rice's rule: few numbers fill few bars.
    cells = min(CELLS, len(counts), math.ceil(2 * distribution.count ** (1 / 3)))
    sums = [0] * cells
    for place, count in enumerate(counts):
        sums[place * cells // len(counts)] += int(count)
    top = max(sums)
    levels = [math.ceil(math.sqrt(count / top) * len(LEVELS)) for count in sums]
    return "".join(LEVELS[level - 1] if level else " " for level in levels)


def _file(file: "FileReport") -> str:
    return f"{file.name}: {file.samples:,} sample{'' if file.samples == 1 else 's'}"


def _forms(file: "FileReport") -> Iterator[str]:
    forms = file.forms.most_common()
    for (lengths, dtype), count in forms[:SHOWN]:
        lengths_told = " x ".join(map(str, lengths)) or "one number"
        yield f"  {count:,} of {lengths_told}, {dtype}"
    if len(forms) > SHOWN:
        yield f"  and {len(forms) - SHOWN} more shapes and types"


def _distributions(found: Sequence["Distribution"], name: str) -> Iterator[str]:
    rows = [(f"{name} {place}", *_row(one)) for place, one in enumerate(found)]
    yield from _table(DISTRIBUTION_HEAD, rows)


def _row(found: "Distribution") -> tuple[str, ...]:
    numbers = (found.minimum, found.maximum, found.mean, found.deviation)
    return (*(f"{number:.6g}" for number in numbers), sparkline(found))


def _classes(report: "Report") -> Iterator[str]:
    unit = "images" if report.meaning == "number" else "pixels"
    rows = [
        (
            str(row["class"]),
            f"{row['count']:,}",
            f"{100 * row['fraction']:.2f} %",
            f"{row['samples']:,}",
        )
        for row in report.labels.to_json()
    ]
    if report.meaning == "number":
        yield from _table(("class", unit, "share"), [row[:3] for row in rows])
    else:
        yield from _table(("class", unit, "share", "images"), rows)


def _boxes(report: "Report") -> Iterator[str]:
    boxes = report.boxes
    rows: list[tuple[str, ...]] = [
        (name, *_row(found))
        for name, found in (
            ("boxes per image", boxes.per_image),
            ("width, px", boxes.widths),
            ("height, px", boxes.heights),
        )
        if found is not None
    ]
    yield from _table(DISTRIBUTION_HEAD, rows)
    total = boxes.classes.total()
    counted = [
        (str(number), f"{boxes.classes[number]:,}", f"{100 * boxes.classes[number] / total:.2f} %")
        for number in sorted(boxes.classes)
    ]
    yield from _table(("class", "boxes", "share"), counted)
    if boxes.empty:
        yield f"  {boxes.empty:,} images without boxes"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    if rows:
        yield from (f"  {line}" for line in table(head, rows).splitlines())
