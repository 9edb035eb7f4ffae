"""Predictions drawn over their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_client.cli.data import drawing

Array = NDArray[Any]

COLUMNS = 4
_SIDE = 2.6
_MOST_VALUES = 3


@dataclass(frozen=True)
class Shown:
    """A prediction to draw.

    Attributes:
        title: Name of the image.
        image: (*space[, channels]).
        output: What was predicted of it.
    """

    title: str
    image: Array
    output: Array


def draw(path: Path, shown: Sequence[Shown], model: str) -> None:
    """Writes a page of images with labels, boxes, points or values of theirs, as PNG.

    Of volumes the middle slice is drawn. Maps of values stand below their images.

    Raises:
        InvalidRequest: Matplotlib is not installed.
        LocalFileError: The file cannot be written.
    """
    maps = any(_meaning(one) == "map" for one in shown)
    columns = min(COLUMNS, max(len(shown), 1))
    rows = -(-len(shown) // columns) * (2 if maps else 1)
    figure = drawing.new_figure(_SIDE * columns, (_SIDE + 0.3) * max(rows, 1))
    panels = figure.subplots(max(rows, 1), columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for number, one in enumerate(shown):
        row, column = divmod(number, columns)
        _draw_image(panels[row * (2 if maps else 1), column], one)
        if maps:
            _draw_map(panels[2 * row + 1, column], one)
    figure.suptitle(f"predictions of {model}", fontsize=10)
    drawing.legend(figure, _classes(shown))
    drawing.save_figure(figure, path)


def _meaning(shown: Shown) -> str:
    """Returns what an output is: `labels`, `map`, `boxes` or `values`."""
    image, output = shown.image, shown.output
    if output.dtype.kind == "u" and output.ndim >= 2:
        return "labels"
    if output.ndim >= 3 and output.shape[:-1] == image.shape[: output.ndim - 1]:
        return "map"
    return "boxes" if output.ndim == 2 and output.shape[-1] == 6 else "values"


def _draw_image(axes: Any, shown: Shown) -> None:
    drawing.draw_image(axes, _with_channels(shown))
    meaning, title = _meaning(shown), shown.title
    if meaning == "labels":
        drawing.draw_labels(axes, shown.output)
    elif meaning == "boxes":
        drawing.draw_boxes(axes, shown.output[:, [0, 2, 3, 4, 5]])
    elif meaning == "values":
        values = np.atleast_1d(shown.output).reshape(-1)
        told = ", ".join(f"{value:.3g}" for value in values[:_MOST_VALUES])
        title = f"{title}: {told}{', ...' if len(values) > _MOST_VALUES else ''}"
    axes.set_title(title, fontsize=7, pad=2)


def _draw_map(axes: Any, shown: Shown) -> None:
    if _meaning(shown) == "map":
        drawing.draw_image(axes, _told(shown.output))


def _told(output: Array) -> Array:
    """Returns a map with what tells most: of two classes the second."""
    return output[..., 1:] if output.shape[-1] == 2 else output


def _with_channels(shown: Shown) -> Array:
    """Returns the image with its channel axis, which may have been left out."""
    image, output, meaning = shown.image, shown.output, _meaning(shown)
    if meaning == "labels":
        return image if image.ndim > output.ndim else image[..., np.newaxis]
    if meaning == "map":
        return image if image.ndim == output.ndim else image[..., np.newaxis]
    # Of three axes the last one is short where it holds channels.
    return image[..., np.newaxis] if image.ndim == 2 or image.shape[-1] > 4 else image


def _classes(shown: Sequence[Shown]) -> list[int]:
    found = {
        int(number)
        for one in shown
        if _meaning(one) == "labels"
        for number in np.unique(one.output)
        if number > 0
    }
    return sorted(found)
