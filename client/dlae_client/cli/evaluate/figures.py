"""The figures of an evaluation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlae_client.cli.data import drawing
from dlae_client.cli.evaluate import diagrams
from dlae_client.cli.evaluate.overlays import draw_cases
from dlae_client.cli.evaluate.work import Work
from dlae_core.evaluation.result import Result


def write_figures(folder: Path, work: Work, result: Result) -> None:
    """Writes what the task has to show as PNG files into a folder.

    Raises:
        LocalFileError: A file cannot be written.
        UnusableDataset: A sample cannot be read.
        ClientError: The cases to be shown cannot be predicted again.
    """
    for name, figure in _diagrams(result):
        drawing.save_figure(figure, folder / f"{name}.png")
    figure = draw_cases(work, result, work.images) if work.images is not None else None
    if figure is not None:
        drawing.save_figure(figure, folder / "cases.png")


def _diagrams(result: Result) -> Iterator[tuple[str, Any]]:
    """Yields the name and the figure of each diagram."""
    if result.confusion is not None:
        yield "confusion", diagrams.confusion(result.confusion)
    if result.scores is not None:
        yield "roc", diagrams.roc(result.scores)
        yield "precision_recall", diagrams.precision_recall(result.scores)
        if diagrams.has_reliability(result.scores):
            yield "reliability", diagrams.reliability(result.scores)
    if result.agreements:
        yield "bland_altman", diagrams.bland_altman(result.agreements)
    if result.curves:
        yield "precision_recall", diagrams.detections(result.curves)
    if result.froc is not None:
        yield "froc", diagrams.froc(result.froc)
