"""Samples and their random variations as a grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae_client.cli.data import drawing

if TYPE_CHECKING:
    from dlae_core.data.preview import Row, View

_CELL_INCHES = 1.9
_MARGIN_INCHES = 0.5


def draw_rows(path: Path, rows: Sequence["Row"]) -> None:
    """Writes a grid as PNG: a row per sample, first without variation, then varied.

    Raises:
        InvalidRequest: Matplotlib is not installed.
        LocalFileError: The file cannot be written.
    """
    height, width = rows[0].plain.image.shape[:2]
    # Maps of values have a row of their own below their image.
    lines = 2 if rows[0].plain.values is not None else 1
    columns = 1 + len(rows[0].varied)
    cell = _CELL_INCHES * min(max(height / width, 0.3), 3.0)
    figure = drawing.new_figure(
        _CELL_INCHES * columns + _MARGIN_INCHES, cell * len(rows) * lines + _MARGIN_INCHES
    )
    grid = figure.subplots(len(rows) * lines, columns, squeeze=False)
    for place, row in enumerate(rows):
        _draw_row(grid[place * lines : (place + 1) * lines], row)
    heads = ["without augmentation", *[f"draw {number}" for number in range(1, columns)]]
    for axes, head in zip(grid[0], heads, strict=True):
        axes.set_title(_joined(head, axes.get_title()), fontsize=8, pad=3)
    drawing.legend(figure, sorted(_classes(rows)))
    drawing.save_figure(figure, path)


def _draw_row(lines: Any, row: "Row") -> None:
    views = (row.plain, *row.varied)
    # One window for all, so that brighter is seen to be brighter.
    image = drawing.window(row.plain.image)
    for axes, view in zip(lines[0], views, strict=True):
        drawing.draw_image(axes, view.image, image)
        _draw_annotation(axes, view)
    lines[0][0].set_ylabel(row.name, fontsize=8)
    if row.plain.values is not None:
        values = drawing.window(row.plain.values)
        for axes, view in zip(lines[1], views, strict=True):
            if view.values is not None:
                drawing.draw_image(axes, view.values, values)
        lines[1][0].set_ylabel(f"{row.name}, annotation", fontsize=8)


def _draw_annotation(axes: Any, view: "View") -> None:
    if view.labels is not None:
        drawing.draw_labels(axes, view.labels)
    if view.boxes is not None:
        drawing.draw_boxes(axes, view.boxes)
    if view.points is not None:
        drawing.draw_points(axes, view.points)
    if view.numbers:
        axes.set_title(", ".join(f"{number:.3g}" for number in view.numbers[:4]), fontsize=7, pad=2)


def _classes(rows: Sequence["Row"]) -> set[int]:
    """Returns the classes of all label maps but the background; boxes tell theirs themselves."""
    return {
        int(number)
        for row in rows
        for view in (row.plain, *row.varied)
        if view.labels is not None
        for number in set(view.labels.reshape(-1).tolist())
        if number > 0
    }


def _joined(head: str, text: str) -> str:
    return f"{head}: {text}" if text else head
