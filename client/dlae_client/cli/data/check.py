"""`dlae-client data check`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.data.reading import config_from_file, expectation_of, require_pairs
from dlae_client.cli.data.text import report_lines
from dlae_client.cli.progress import Bar
from dlae_client.errors import UnusableData

if TYPE_CHECKING:
    from dlae_core.data.inspection import Expectation
    from dlae_core.data.report import Report
    from dlae_core.data.source import PairedFiles


@click.command(epilog=examples("data check X.h5 y.h5 --config config.json --figure report.png"))
@click.argument("images", type=click.Path(path_type=Path))
@click.argument("annotations", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration that the data must suit."
)
@click.option(
    "--figure", type=click.Path(path_type=Path), help="PNG to draw histograms and samples into."
)
@local_command
def check(
    session: Session, images: Path, annotations: Path, config: Path | None, figure: Path | None
) -> None:
    """Reports what is in IMAGES and ANNOTATIONS, two HDF5 files, and all that is wrong.

    Exits with 3 where the data cannot be trained on. Bars of histograms show the square root of
    the count.
    """
    # h5py takes longer to import than the rest of the client together.
    from dlae_core.data.report import problems_of_opening  # noqa: PLC0415
    from dlae_core.data.source import PairedFiles  # noqa: PLC0415
    from dlae_core.errors import UnusableDataset  # noqa: PLC0415

    settings = config_from_file(config) if config else None
    if settings:
        require_pairs(settings)
    problems = problems_of_opening(images, annotations)
    if problems:
        _end(session, {"valid": False, "problems": problems, "warnings": []})
    try:
        with PairedFiles(images, annotations) as pairs:
            expected = expectation_of(settings, pairs) if settings else None
            report = _report(pairs, expected)
            if figure is not None:
                from dlae_client.cli.data.figure import draw_report  # noqa: PLC0415

                draw_report(figure, report, pairs, expected)
                session.say(f"wrote {figure}")
    except UnusableDataset as error:
        raise UnusableData(str(error)) from error
    for warning in report.warnings:
        session.say(f"warning: {warning}")
    session.print("\n".join(report_lines(report)))
    _end(session, report.to_json())


def _report(pairs: "PairedFiles", expected: "Expectation | None") -> "Report":
    from dlae_core.data.report import report_on  # noqa: PLC0415 - as above

    bar = Bar()
    try:
        return report_on(
            pairs,
            expected,
            lambda done, count: bar.draw(done / count, f"{done}/{count} samples"),
        )
    finally:
        bar.clear()


def _end(session: Session, document: dict[str, object]) -> None:
    """Tells the problems and ends: with 3 where there are any."""
    problems = document["problems"]
    assert isinstance(problems, list)
    for problem in problems:
        session.say(f"problem: {problem}")
    session.document(document)
    if problems:
        sys.exit(3)
    session.print("the data can be trained on")
