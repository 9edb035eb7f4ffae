"""Layer lists to networks: walks a list of layers and builds the Keras graph."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from dlae.v1.layers_pb2 import Layer
from dlae_core.backbones.base import build_backbone
from dlae_core.errors import InvalidConfig, Violation
from dlae_core.layers.builder import Place
from dlae_core.layers.builders import BUILDERS
from dlae_core.layers.connection import MERGES
from dlae_core.layers.language import format_layer, layer_name


@dataclass(frozen=True)
class LayerSummary:
    """One item of a layer list as it was built.

    Attributes:
        item: Position in the list, from 0.
        type: Name in the layer language.
        output_shape: Without the batch axis.
        parameters: Weights of the layers that the item made.
        inputs: Items whose outputs it reads, the current one first.
    """

    item: int
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class GraphSummary:
    """Shape and size of a network, layer by layer."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    trainable_parameters: int
    layers: tuple[LayerSummary, ...]


@dataclass(frozen=True)
class Network:
    """A built network and what each item of its layer list became."""

    model: keras.Model
    items: tuple[LayerSummary, ...]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one output, without the batch axis."""
        return tuple(self.model.output_shape[1:])

    def summary(self) -> GraphSummary:
        """Returns shape and size of the network."""
        return GraphSummary(
            name=self.model.name,
            output_shape=self.output_shape,
            parameters=self.model.count_params(),
            trainable_parameters=sum(
                math.prod(weight.shape) for weight in self.model.trainable_variables
            ),
            layers=self.items,
        )


@dataclass
class Walk:
    """Where the walk through a layer list is.

    Attributes:
        tensor: The current tensor.
        inputs: What the network takes.
        outer_skips: Item and tensor of the open long connections, the last one on top.
        inner_skips: The same of the short ones.
        hooks: Item and tensor of what a detector's heads read, in order.
        items: What the items so far became.
        sources: Items that the current one reads.
    """

    tensor: Any = None
    inputs: list[Any] = field(default_factory=list)
    outer_skips: list[tuple[int, Any]] = field(default_factory=list)
    inner_skips: list[tuple[int, Any]] = field(default_factory=list)
    hooks: list[tuple[int, Any]] = field(default_factory=list)
    items: list[LayerSummary] = field(default_factory=list)
    sources: tuple[int, ...] = ()

    def model(self, output: Any, name: str) -> keras.Model:
        """Returns the model from the inputs, or the only one, to an output."""
        inputs = self.inputs if len(self.inputs) > 1 else self.inputs[0]
        return keras.Model(inputs, output, name=name)


def build_network(
    layers: Sequence[Layer],
    path: str,
    name: str = "model",
    beside: Sequence[tuple[str, tuple[int, ...]]] = (),
) -> Network:
    """Builds the network that a list of layers describes.

    Args:
        layers: Complete messages, as `parse_layer` makes them; the first is `Input`.
        path: Place of the list in the configuration, for errors.
        name: Name of the model.
        beside: Names and shapes of further inputs, whose channels follow those of `Input`.

    Raises:
        InvalidConfig: A layer does not fit the tensor it is given; names item and reason.
    """
    walk = walk_layers(layers, path, beside)
    return Network(walk.model(walk.tensor, name), tuple(walk.items))


def walk_layers(
    layers: Sequence[Layer], path: str, beside: Sequence[tuple[str, tuple[int, ...]]] = ()
) -> Walk:
    """Applies the layers of a list one after the other.

    Args:
        layers: Complete messages; the first is `Input`.
        path: Place of the list in the configuration, for errors.
        beside: Names and shapes of further inputs, whose channels follow those of `Input`.

    Raises:
        InvalidConfig: A layer does not fit the tensor it is given; names item and reason.
    """
    walk = Walk()
    for item, layer in enumerate(layers):
        before, walk.sources = walk.tensor, (item - 1,) if item else ()
        try:
            parameters = STEPS.get(layer.WhichOneof("type") or "", _apply)(walk, layer, item)
            if item == 0 and beside:
                _join(walk, beside)
        except (ValueError, TypeError) as error:
            raise _misfit(f"{path}[{item}]", layer, before, error) from error
        walk.items.append(
            LayerSummary(
                item, layer_name(layer), tuple(walk.tensor.shape[1:]), parameters, walk.sources
            )
        )
    return walk


def _enter(walk: Walk, layer: Layer, item: int) -> int:
    walk.tensor = keras.Input(tuple(layer.input.shape), name="image")
    walk.inputs = [walk.tensor]
    return 0


def _join(walk: Walk, beside: Sequence[tuple[str, tuple[int, ...]]]) -> None:
    walk.inputs += [keras.Input(shape, name=name) for name, shape in beside]
    walk.tensor = keras.layers.Concatenate(name="images")(walk.inputs)


def _open_outer_skip(walk: Walk, layer: Layer, item: int) -> int:
    walk.outer_skips.append((item, walk.tensor))
    return 0


def _open_inner_skip(walk: Walk, layer: Layer, item: int) -> int:
    walk.inner_skips.append((item, walk.tensor))
    return 0


def _merge_outer_skip(walk: Walk, layer: Layer, item: int) -> int:
    return _merge(walk, walk.outer_skips, layer.outer_skip_target.skip_type, layer, item)


def _merge_inner_skip(walk: Walk, layer: Layer, item: int) -> int:
    """Merges the latest open source. Differs: 1.0 read the oldest and dropped the newest (G1)."""
    return _merge(walk, walk.inner_skips, layer.inner_skip_target.skip_type, layer, item)


def _merge(
    walk: Walk, skips: list[tuple[int, Any]], skip_type: str, layer: Layer, item: int
) -> int:
    if not skips:
        raise ValueError("there is no skip source left to merge with")
    source, skip = skips.pop()
    walk.tensor = MERGES[skip_type](name=_keras_name(layer, item))([skip, walk.tensor])
    walk.sources += (source,)
    return 0


def _hook(walk: Walk, layer: Layer, item: int) -> int:
    walk.hooks.append((item, walk.tensor))
    return 0


def _pass(walk: Walk, layer: Layer, item: int) -> int:
    return 0


def _apply_backbone(walk: Walk, layer: Layer, item: int) -> int:
    """Applies a network of the literature to the current tensor.

    Differs: DLAE 1.0 began a new network there and cut off what came before (G3).
    """
    settings = layer.backbone
    _check_backbone_shape(walk, tuple(settings.input_shape))
    features = build_backbone(
        settings.network,
        walk.tensor,
        name=f"item{item:03d}_{settings.network.lower()}",
        include_top=settings.include_top,
        weights=settings.weights,
        input_scaling=settings.input_scaling,
    )
    walk.tensor = features.output
    if settings.skips:
        walk.outer_skips = [(item, level) for level in features.levels]
    if settings.hooks:
        walk.hooks = [(item, level) for level in features.levels]
    return sum(part.count_params() for part in features.layers)


def _check_backbone_shape(walk: Walk, stated: tuple[int, ...]) -> None:
    """Compares the shape that a backbone states; where images are joined, with one of them too."""
    found = tuple(walk.tensor.shape[1:])
    allowed = (found, *(tuple(image.shape[1:]) for image in walk.inputs if len(walk.inputs) > 1))
    if stated and stated not in allowed:
        raise ValueError(f"its input_shape is {stated}; leave it out, or give {found}")


def _apply(walk: Walk, layer: Layer, item: int) -> int:
    kind = layer.WhichOneof("type")
    place = Place(layer.rank, _keras_name(layer, item), walk.tensor.shape[-1])
    parameters = 0
    for keras_layer in BUILDERS[kind](getattr(layer, kind), place):
        walk.tensor = keras_layer(walk.tensor)
        if 0 in walk.tensor.shape[1:]:
            raise ValueError(f"nothing is left of the image: the output is {walk.tensor.shape[1:]}")
        parameters += keras_layer.count_params()
    return parameters


# Items that concern the graph, not one tensor.
STEPS: dict[str, Callable[[Walk, Layer, int], int]] = {
    "input": _enter,
    "outer_skip_source": _open_outer_skip,
    "outer_skip_target": _merge_outer_skip,
    "inner_skip_source": _open_inner_skip,
    "inner_skip_target": _merge_inner_skip,
    "hook_connection_source": _hook,
    "hook_connection_target": _pass,
    "backbone": _apply_backbone,
}


def _keras_name(layer: Layer, item: int) -> str:
    """Returns a Keras name that leads back to the item of the list."""
    return f"item{item:03d}_{layer.WhichOneof('type')}"


def _misfit(path: str, layer: Layer, tensor: Any, error: Exception) -> InvalidConfig:
    shape = tuple(tensor.shape[1:]) if tensor is not None else ()
    reason = str(error).strip().splitlines()[0]
    message = f"'{format_layer(layer)}' does not fit its input of shape {shape}: {reason}"
    return InvalidConfig([Violation(path, "GRAPH_MISFIT", message)])
