"""Where the layers of a network stand in its drawing: one row each, coarser ones further right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dlae.v1.training_pb2 import GraphSummary, LayerSummary

# Words of a layer's name to its kind, the first that fits; what fits none is a backbone.
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("input", ("input",)),
    ("skip or hook", ("skip", "hook")),
    ("upsampling", ("resize convolution", "transpose convolution", "upsample")),
    ("convolution", ("convolution",)),
    ("pooling", ("pooling",)),
    ("normalization", ("normalization",)),
    ("regularization", ("dropout", "noise")),
    ("activation", ("activation", "relu", "elu", "prelu")),
    ("dense", ("dense",)),
    ("detection", ("detection", "detections")),
    ("reshaping", ("reshape", "flatten", "permute", "padding", "cropping")),
)
BACKBONE = "backbone"
# Inputs of a skip's target; what reads more joins what many layers made.
JOINED = 2


@dataclass(frozen=True)
class Placed:
    """A layer and its place.

    Attributes:
        layer: The layer.
        row: From 0, in the order of the list.
        column: From 0: how often the resolution has been halved, and the last one for what is no
            image.
        kind: Name in `KINDS`, or `backbone`.
    """

    layer: LayerSummary
    row: int
    column: int
    kind: str


@dataclass(frozen=True)
class Skip:
    """A connection past other layers.

    Attributes:
        source: Row that it starts at.
        target: Row that it ends at.
        reach: How many skips of its side lie inside it: 0 for the innermost.
        inner: Whether it is a short connection.
        right: Whether it is one of many that end together, which are drawn on the right.
    """

    source: int
    target: int
    reach: int
    inner: bool
    right: bool


def placed_layers(graph: GraphSummary) -> list[Placed]:
    """Returns the layers of a network with their places."""
    levels = _levels([tuple(layer.output_shape) for layer in graph.layers])
    columns = {level: column for column, level in enumerate(sorted(set(levels)))}
    return [
        Placed(layer, row, columns[levels[row]], kind_of(layer.type))
        for row, layer in enumerate(graph.layers)
    ]


def skips_of(graph: GraphSummary) -> list[Skip]:
    """Returns the connections of a network past other layers, the innermost first."""
    rows = {layer.item: row for row, layer in enumerate(graph.layers)}
    ends = [
        (rows[source], row, layer)
        for row, layer in enumerate(graph.layers)
        for source in layer.inputs
        if source in rows and rows[source] < row - 1
    ]
    found: list[Skip] = []
    for source, target, layer in sorted(ends, key=lambda end: end[1] - end[0]):
        right = len(layer.inputs) > JOINED
        inside = [
            skip.reach
            for skip in found
            if skip.right == right and source <= skip.source and skip.target <= target
        ]
        reach = 1 + max(inside, default=-1)
        found.append(Skip(source, target, reach, "inner" in layer.type.lower(), right))
    return found


def kind_of(name: str) -> str:
    """Returns the kind of a layer from its name in the layer language."""
    whole = f" {name.lower()} "
    fitting = (kind for kind, words in KINDS if any(f" {word} " in whole for word in words))
    return next(fitting, BACKBONE)


def _levels(shapes: Sequence[tuple[int, ...]]) -> list[int]:
    """Returns for each shape how often the resolution has been halved since the largest one."""
    axes = len(shapes[0]) if shapes else 0
    sides = [_side(shape) if len(shape) == axes else None for shape in shapes]
    largest = max((side for side in sides if side), default=1.0)
    levels = [round(math.log2(largest / side)) if side else None for side in sides]
    last = 1 + max((level for level in levels if level is not None), default=-1)
    return [last if level is None else level for level in levels]


def _side(shape: tuple[int, ...]) -> float | None:
    """Returns the mean side of an image (*space, channels); None for a vector."""
    space = shape[:-1]
    return math.prod(max(length, 1) for length in space) ** (1 / len(space)) if space else None
