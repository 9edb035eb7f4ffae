"""A report on a data set: what is in the files, and what is wrong with it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from dlae_core.data.inspection import (
    Expectation,
    Form,
    Problems,
    Sample,
    inspect_sample,
    sample_bytes,
    surplus_warnings,
)
from dlae_core.data.source import SHOWN, PairedFiles, SampleFile
from dlae_core.data.summary import Boxes, Labels, Summary, Values, summarize
from dlae_core.data.walking import walk
from dlae_core.errors import UnusableDataset

Progress = Callable[[int, int], None]

# What annotations are, as people say it.
MEANINGS = {
    "number": "one number per image",
    "map": "maps with the space of their image",
    "boxes": "boxes",
    "values": "several values per image",
}


@dataclass
class FileReport:
    """What one file holds.

    Attributes:
        name: Name of the file.
        samples: Number of samples.
        forms: How many samples have which shape and type.
    """

    name: str
    samples: int
    forms: Counter[Form] = field(default_factory=Counter)

    def add(self, form: Form | None) -> None:
        """Adds shape and type of one sample."""
        self.forms[form or ((), "unreadable")] += 1

    def to_json(self) -> dict[str, Any]:
        """Returns the report as JSON values."""
        forms = [
            {"shape": list(shape), "dtype": dtype, "count": count}
            for (shape, dtype), count in self.forms.most_common()
        ]
        return {"file": self.name, "samples": self.samples, "forms": forms}


@dataclass
class Report:
    """What is in a data set.

    Attributes:
        images: The file of images.
        annotations: The file of annotations.
        channels: Intensities of each channel.
        meanings: How many annotations are `number`, `map`, `boxes` or `values`.
        labels: Counts of class numbers, where annotations hold them.
        values: Numbers of annotations that are no boxes, by component.
        boxes: Boxes, where annotations hold them.
        flat: Names of images of one intensity.
        problems: What cannot be trained on.
        warnings: What is probably not meant.
    """

    images: FileReport
    annotations: FileReport
    channels: Values = field(default_factory=Values)
    meanings: Counter[str] = field(default_factory=Counter)
    labels: Labels = field(default_factory=Labels)
    values: Values = field(default_factory=Values)
    boxes: Boxes = field(default_factory=Boxes)
    flat: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def meaning(self) -> str:
        """What most annotations are."""
        return self.meanings.most_common(1)[0][0] if self.meanings else ""

    def add(self, sample: Sample, summary: Summary) -> None:
        """Adds what one sample holds."""
        self.images.add(sample.forms[0])
        self.annotations.add(sample.forms[1])
        self.channels.add(summary.channels)
        if summary.channels and all(one.minimum == one.maximum for one in summary.channels):
            self.flat.append(summary.name)
        if summary.meaning:
            self.meanings[summary.meaning] += 1
        if summary.boxes is not None:
            self.boxes.add(summary.boxes)
        elif summary.values:
            self.labels.add(summary.labels)
            self.values.add(summary.values)

    def to_json(self) -> dict[str, Any]:
        """Returns the report as JSON values."""
        told: dict[str, Any] = {
            "valid": not self.problems,
            "problems": self.problems,
            "warnings": self.warnings,
            "images": {**self.images.to_json(), "channels": self.channels.to_json()},
            "annotations": {**self.annotations.to_json(), "meanings": dict(self.meanings)},
        }
        if self.labels.counts:
            told["annotations"]["classes"] = self.labels.to_json()
        if self.values.components:
            told["annotations"]["values"] = self.values.to_json()
        if self.boxes.classes or self.meaning == "boxes":
            told["annotations"]["boxes"] = self.boxes.to_json()
        return told


def report_on(
    pairs: PairedFiles, expected: Expectation | None = None, progress: Progress | None = None
) -> Report:
    """Measures and inspects a data set in one pass, in bounded memory.

    Args:
        pairs: The files.
        expected: What the network expects; None: no network is known.
        progress: Called with the number of samples done and of all.
    """
    report = Report(_empty(pairs.images), _empty(pairs.annotations))
    problems, doubts = Problems(), Problems()

    def look(name: str) -> tuple[Sample, Summary]:
        sample = inspect_sample(pairs, expected, name)
        # The arrays are not kept until it is this sample's turn.
        return replace(sample, image=None, annotation=None), summarize(name, sample, expected)

    looked = walk(pairs.names, partial(sample_bytes, pairs), look)
    for done, (sample, summary) in enumerate(looked, start=1):
        report.add(sample, summary)
        for kind, sentence in sample.problems:
            problems.add(kind, sentence)
        for kind, what in summary.doubts:
            doubts.add(kind, f"{pairs.annotations.path.name}: dataset '{summary.name}': {what}")
        if progress is not None:
            progress(done, len(pairs.names))
    report.problems = problems.sentences()
    known = [*surplus_warnings(pairs), *doubts.sentences()]
    report.warnings = [*known, *_warnings(report, expected)]
    return report


def _empty(file: SampleFile) -> FileReport:
    return FileReport(file.path.name, len(file.names))


def _warnings(report: Report, expected: Expectation | None) -> Iterator[str]:
    images, annotations = report.images, report.annotations
    if expected is None:
        yield from _form_warnings(report)
    dtypes = sorted({dtype for _, dtype in images.forms})
    if len(dtypes) > 1:
        yield f"{images.name}: the images are of different types ({', '.join(dtypes)})"
    if report.flat:
        names = ", ".join(report.flat[:SHOWN]) + (", ..." if len(report.flat) > SHOWN else "")
        yield f"{images.name}: {len(report.flat)} images have one intensity everywhere ({names})"
    yield from (f"{annotations.name}: {told}" for told in _class_warnings(report, expected))


def _form_warnings(report: Report) -> Iterator[str]:
    shapes = sorted({shape for shape, _ in report.images.forms})
    if len(shapes) > 1:
        yield (
            f"{report.images.name}: the images have {len(shapes)} shapes; a network takes "
            "images of one shape"
        )
    if len(report.meanings) > 1:
        kinds = " and ".join(
            f"{count} {MEANINGS[meaning]}" for meaning, count in report.meanings.most_common()
        )
        yield f"{report.annotations.name}: the annotations are of different kinds: {kinds}"


def _class_warnings(report: Report, expected: Expectation | None) -> Iterator[str]:
    found = sorted(report.boxes.classes if report.meaning == "boxes" else report.labels.counts)
    if not found:
        return
    if expected is not None and expected.classes:
        first = 1 if expected.boxes else 0
        absent = sorted(set(range(first, first + expected.classes)) - set(found))
        if absent:
            told = ", ".join(map(str, absent[:SHOWN]))
            yield (
                f"no sample shows class {told}"
                if len(absent) == 1
                else f"no sample shows the classes {told}"
            )
    elif expected is None and report.meaning == "map" and found != list(range(len(found))):
        told = ", ".join(map(str, found[:SHOWN])) + (", ..." if len(found) > SHOWN else "")
        yield (
            f"the maps hold the numbers {told}; if they are classes, they have to be numbered "
            "0, 1, 2, ... without gaps"
        )


def problems_of_opening(images: Path, annotations: Path) -> list[str]:
    """Returns what keeps two files from being opened as pairs, of both files."""
    found: list[str] = []
    for path in (images, annotations):
        try:
            SampleFile(path).close()
        except UnusableDataset as error:
            found += error.problems
    if not found:
        try:
            PairedFiles(images, annotations).close()
        except UnusableDataset as error:
            found += error.problems
    return found
