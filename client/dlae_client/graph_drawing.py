"""Networks as drawings: a box for each layer, connections, legend. Needs matplotlib."""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae.v1.training_pb2 import GraphSummary
from dlae_client.errors import InvalidRequest
from dlae_client.graph_layout import BACKBONE, Placed, Skip, placed_layers, skips_of
from dlae_client.writing import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")

# All lengths are in inches, to which one unit of the drawings' axes is equal.
ROW, BOX_HEIGHT, BOX_WIDTH, STEP = 0.30, 0.22, 3.3, 0.62
MARGIN, HEAD, TITLE = 0.30, 0.62, 0.55
LEGEND_ROW, LEGEND_COLUMN = 0.24, 1.45
REACH, FARTHEST, NARROWEST, LETTER = 0.17, 6, 7.0, 0.13
RESOLUTION = 130
LONGEST_SIDE = 40_000

INK, PALE, SKIP_INK, INNER_INK = "#22303c", "#7b8794", "#c0392b", "#8e44ad"
FILLS = {
    "input": "#dfe6ec",
    "convolution": "#a9cdf0",
    "upsampling": "#8fd6c6",
    "pooling": "#f6c28b",
    "normalization": "#d3e3c4",
    "activation": "#f6eb9c",
    "regularization": "#e3d3ea",
    "dense": "#f2b0a9",
    "detection": "#e6a3c8",
    "reshaping": "#d6d6d6",
    "skip or hook": "#f4d4d0",
    BACKBONE: "#b8b5e6",
}


def check_drawable() -> None:
    """Makes sure that drawings can be made here.

    Raises:
        InvalidRequest: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        message = "drawing needs matplotlib; `pip install 'dlae[plot]'` installs it"
        raise InvalidRequest(message, "MISSING_EXTRA")


def draw(graphs: Sequence[GraphSummary], title: str, path: Path) -> None:
    """Draws networks side by side into a file, which appears whole or not at all.

    Args:
        graphs: The networks, at least one.
        title: Line above them.
        path: File ending in `.png` or `.svg`; an old one is replaced.

    Raises:
        InvalidRequest: matplotlib is not installed.
        LocalFileError: The file cannot be written.
    """
    check_drawable()
    import matplotlib  # noqa: PLC0415 - only who draws needs it

    # Text stays text in SVG, and the same networks give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dlae"}):
        figure = _figure([_Panel(graph) for graph in graphs], title)
        longest = max(figure.get_size_inches())
        dots = min(RESOLUTION, int(LONGEST_SIDE / longest))
        facts = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
        with written_whole(path) as fresh:
            figure.savefig(fresh, dpi=dots, metadata=facts)


class _Panel:
    """One network and the room that it needs."""

    def __init__(self, graph: GraphSummary) -> None:
        self.graph = graph
        self.layers = placed_layers(graph)
        self.skips = skips_of(graph)
        self.left = MARGIN + 0.35 + self._reach(right=False)
        columns = 1 + max((placed.column for placed in self.layers), default=0)
        right = MARGIN + self._reach(right=True)
        self.width = self.left + STEP * (columns - 1) + BOX_WIDTH + right
        self.height = HEAD + ROW * len(self.layers)

    def _reach(self, right: bool) -> float:
        """Returns the room that the skips of a side need."""
        reaches = [skip.reach for skip in self.skips if skip.right == right]
        return REACH * min(1 + max(reaches, default=-1), FARTHEST)

    def corner(self, placed: Placed) -> tuple[float, float]:
        """Returns the upper left corner of a layer's box; y grows downwards."""
        return self.left + STEP * placed.column, HEAD + ROW * placed.row


def _figure(panels: Sequence[_Panel], title: str) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    needed = 2 * MARGIN + LETTER * len(title)
    width = max(sum(panel.width for panel in panels), needed, NARROWEST)
    tallest = max(panel.height for panel in panels)
    kinds = _kinds(panels)
    across = int((width - MARGIN) / LEGEND_COLUMN)
    height = TITLE + tallest + 2 * MARGIN + LEGEND_ROW * math.ceil(len(kinds) / across)
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    axes.text(MARGIN, TITLE * 0.62, title, color=INK, fontsize=13, weight="bold", va="center")
    left = (width - sum(panel.width for panel in panels)) / 2
    for panel in panels:
        _draw_panel(axes, panel, left)
        left += panel.width
    for place, kind in enumerate(kinds):
        row, column = divmod(place, across)
        corner = MARGIN + LEGEND_COLUMN * column, TITLE + tallest + MARGIN + LEGEND_ROW * row
        _draw_legend(axes, kind, corner)
    return figure


def _kinds(panels: Sequence[_Panel]) -> list[str]:
    """Returns the kinds of layers that are drawn, in the order of the legend."""
    present = {placed.kind for panel in panels for placed in panel.layers}
    return [kind for kind in FILLS if kind in present]


def _draw_panel(axes: "Axes", panel: _Panel, left: float) -> None:
    graph = panel.graph
    head = f"{graph.parameters:,} weights, {graph.trainable_parameters:,} of them trainable"
    x, y = left + MARGIN, TITLE
    axes.text(x, y + 0.16, graph.name, color=INK, fontsize=11, weight="bold", va="center")
    axes.text(x, y + 0.38, head, color=PALE, fontsize=8.5, va="center")
    origin = (left, TITLE)
    for above, below in zip(panel.layers, panel.layers[1:], strict=False):
        if above.layer.item in below.layer.inputs:
            _draw_step(axes, panel, (above, below), origin)
    for skip in panel.skips:
        _draw_skip(axes, panel, skip, origin)
    for placed in panel.layers:
        _draw_box(axes, panel, placed, origin)


def _draw_box(axes: "Axes", panel: _Panel, placed: Placed, origin: tuple[float, float]) -> None:
    from matplotlib.patches import FancyBboxPatch  # noqa: PLC0415 - as above

    x, y = (start + length for start, length in zip(origin, panel.corner(placed), strict=True))
    style = "round,pad=0,rounding_size=0.05"
    fill = FILLS[placed.kind]
    box = FancyBboxPatch(
        (x, y), BOX_WIDTH, BOX_HEIGHT, boxstyle=style, facecolor=fill, edgecolor=INK, linewidth=0.5
    )
    axes.add_patch(box)
    middle = y + BOX_HEIGHT / 2
    layer = placed.layer
    form = " x ".join(str(length or "any") for length in layer.output_shape)
    text: dict[str, Any] = {"fontsize": 8, "color": INK, "va": "center_baseline", "zorder": 4}
    axes.text(x + 0.08, middle, layer.type, ha="left", **text)
    axes.text(x + BOX_WIDTH - 0.08, middle, form, ha="right", **text)
    number = {**text, "color": PALE, "fontsize": 7}
    axes.text(origin[0] + MARGIN + 0.12, middle, str(layer.item), ha="right", **number)


def _draw_step(
    axes: "Axes", panel: _Panel, pair: tuple[Placed, Placed], origin: tuple[float, float]
) -> None:
    """Draws an arrow from a layer to the next, straight down where one is above the other."""
    (x1, y1), (x2, y2) = (panel.corner(placed) for placed in pair)
    overlap = (max(x1, x2) + min(x1, x2) + BOX_WIDTH) / 2
    straight = abs(x1 - x2) < BOX_WIDTH
    starts = (overlap, overlap) if straight else (x1 + BOX_WIDTH / 2, x2 + BOX_WIDTH / 2)
    arrow = {"arrowstyle": "-|>,head_width=0.12,head_length=0.18", "color": INK, "linewidth": 0.7}
    axes.annotate(
        "",
        xy=(origin[0] + starts[1], origin[1] + y2),
        xytext=(origin[0] + starts[0], origin[1] + y1 + BOX_HEIGHT),
        arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0},
    )


def _draw_skip(axes: "Axes", panel: _Panel, skip: Skip, origin: tuple[float, float]) -> None:
    """Draws a curve past other layers."""
    from matplotlib.patches import FancyArrowPatch  # noqa: PLC0415 - as above
    from matplotlib.path import Path as Curve  # noqa: PLC0415 - as above

    width = BOX_WIDTH if skip.right else 0.0
    (x1, y1), (x2, y2) = (
        (origin[0] + x + width, origin[1] + y + BOX_HEIGHT / 2)
        for x, y in (panel.corner(panel.layers[row]) for row in (skip.source, skip.target))
    )
    # A curve of this kind goes three quarters of the way to its handles.
    out = REACH * min(1 + skip.reach, FARTHEST) * 4 / 3
    side = max(x1, x2) + out if skip.right else min(x1, x2) - out
    curve = Curve(
        [(x1, y1), (side, y1), (side, y2), (x2, y2)],
        [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4],
    )
    arrow = FancyArrowPatch(
        path=curve,
        arrowstyle="-|>,head_width=2,head_length=4",
        color=INNER_INK if skip.inner else SKIP_INK,
        linewidth=1.1,
        zorder=0.9,
    )
    axes.add_patch(arrow)


def _draw_legend(axes: "Axes", kind: str, corner: tuple[float, float]) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

    x, y = corner
    fill = FILLS[kind]
    axes.add_patch(Rectangle(corner, 0.2, 0.14, facecolor=fill, edgecolor=INK, linewidth=0.5))
    axes.text(x + 0.27, y + 0.07, kind, color=INK, fontsize=8, va="center_baseline")
