"""Samples as pictures, with their masks and boxes over them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae_client.errors import InvalidRequest
from dlae_client.writing import written_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Of the colour map tab10, from those that stand out most from grey.
_ORDER = (3, 0, 2, 1, 4, 9, 6, 8, 5)
_OPACITY, _BORDER_OPACITY = 0.3, 0.9
DPI = 120
INK, PAPER, QUIET = "#222222", "white", "#777777"


def new_figure(width: float, height: float) -> Any:
    """Returns an empty figure of a size in inches.

    Raises:
        InvalidRequest: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - comes with an extra
    except ImportError as error:
        message = "drawing needs matplotlib; `pip install 'dlae[plot]'` installs it"
        raise InvalidRequest(message, "MISSING_EXTRA") from error
    return Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER, layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Writes a figure as PNG, whole or not at all.

    Raises:
        LocalFileError: The file cannot be written.
    """
    with written_whole(path) as fresh:
        figure.savefig(fresh, format="png")


def evenly_chosen(names: tuple[str, ...], count: int) -> list[str]:
    """Returns names from all over a file."""
    if len(names) <= count:
        return list(names)
    return [names[place * (len(names) - 1) // max(count - 1, 1)] for place in range(count)]


def colour(number: int) -> tuple[float, float, float]:
    """Returns the colour of a class, from 1."""
    from matplotlib import colormaps  # noqa: PLC0415 - as above

    red, green, blue, _ = colormaps["tab10"](_ORDER[(number - 1) % len(_ORDER)])
    return float(red), float(green), float(blue)


def window(image: "Array") -> tuple[float, float]:
    """Returns the intensities that are shown black and white: the smallest and the largest."""
    return float(image.min()), float(image.max())


def draw_image(axes: Any, image: "Array", shown: tuple[float, float] | None = None) -> None:
    """Draws a plane or the middle slice of a volume.

    Args:
        axes: Where.
        image: (*space, channels); three channels are shown as colours, else the first as grey.
        shown: Intensities that are black and white; None: the slice's own extremes.
    """
    plane = middle(image, image.ndim - 1)
    colours = plane if plane.shape[-1] == 3 else plane[..., 0]
    low, high = shown or window(colours)
    scaled = (colours.astype("float64") - low) / ((high - low) or 1.0)
    axes.imshow(scaled.clip(0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    # Points and boxes may lie outside.
    axes.set(xticks=[], yticks=[], autoscale_on=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_labels(axes: Any, labels: "Array") -> None:
    """Draws the classes of a label map over its image; 0 stays clear.

    Args:
        axes: Where the image is.
        labels: (*space,) whole numbers; of a volume, the middle slice.
    """
    import numpy as np  # noqa: PLC0415 - takes longer to import than the rest of the client

    plane = middle(labels, labels.ndim)
    over = np.zeros((*plane.shape, 4))
    for number in np.unique(plane):
        if number > 0:
            inside = plane == number
            over[inside] = (*colour(int(number)), _OPACITY)
            over[inside & _is_border(inside)] = (*colour(int(number)), _BORDER_OPACITY)
    axes.imshow(over, interpolation="nearest")


def _is_border(inside: "Array") -> "Array":
    """Returns which pixels have a neighbour outside, beside or below them; edges have none."""
    import numpy as np  # noqa: PLC0415 - as above

    framed = np.pad(inside, 1, mode="edge")
    whole = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    border: Array = ~whole
    return border


def draw_boxes(axes: Any, boxes: "Array") -> None:
    """Draws boxes (boxes, 5) with their classes.

    A pixel's centre has its index as coordinate, a box counts from the pixels' edges.
    """
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

    for number, xmin, ymin, xmax, ymax in boxes.tolist():
        edge = colour(int(number))
        corner = (xmin - 0.5, ymin - 0.5)
        axes.add_patch(
            Rectangle(corner, xmax - xmin, ymax - ymin, fill=False, edgecolor=edge, linewidth=1.4)
        )
        axes.annotate(
            f"{number:g}",
            corner,
            fontsize=6,
            color="white",
            va="bottom",
            annotation_clip=True,
            bbox={"facecolor": edge, "edgecolor": "none", "pad": 0.8},
        )


def draw_points(axes: Any, points: "Array") -> None:
    """Draws points (points, axes), rows first, in pixels."""
    axes.plot(points[:, 1], points[:, 0], "+", color=colour(1), markersize=7, markeredgewidth=1.4)


def legend(figure: Any, numbers: Sequence[int]) -> None:
    """Draws which colour is which class below a figure."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    patches = [Patch(color=colour(number), label=f"class {number}") for number in numbers]
    if patches:
        columns = min(len(patches), 9)
        figure.legend(
            handles=patches, loc="outside lower center", ncols=columns, frameon=False, fontsize=8
        )


def middle(array: "Array", axes: int) -> "Array":
    """Returns the middle slice of an array with three space axes, a plane as it is."""
    return array[:, :, array.shape[2] // 2] if axes == 3 else array
