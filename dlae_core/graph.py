"""Layer lists to networks: walks a list of layers and builds the Keras graph."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from dlae.v1.layers_pb2 import Layer
from dlae_core.errors import InvalidConfig, Violation
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
    """

    item: int
    type: str
    output_shape: tuple[int, ...]
    parameters: int


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
class _Walk:
    """Where the walk through a layer list is."""

    tensor: Any = None
    input: Any = None
    outer_skips: list[Any] = field(default_factory=list)
    items: list[LayerSummary] = field(default_factory=list)


def build_network(layers: Sequence[Layer], path: str, name: str = "model") -> Network:
    """Builds the network that a list of layers describes.

    Args:
        layers: Complete messages, as `parse_layer` makes them; the first is `Input`.
        path: Place of the list in the configuration, for errors.
        name: Name of the model.

    Raises:
        InvalidConfig: A layer does not fit the tensor it is given; names item and reason.
    """
    walk = _Walk()
    for item, layer in enumerate(layers):
        before = walk.tensor
        try:
            parameters = _STEPS.get(layer.WhichOneof("type") or "", _apply)(walk, layer, item)
        except (ValueError, TypeError) as error:
            raise _misfit(f"{path}[{item}]", layer, before, error) from error
        walk.items.append(
            LayerSummary(item, layer_name(layer), tuple(walk.tensor.shape[1:]), parameters)
        )
    return Network(keras.Model(walk.input, walk.tensor, name=name), tuple(walk.items))


def _enter(walk: _Walk, layer: Layer, item: int) -> int:
    walk.input = walk.tensor = keras.Input(tuple(layer.input.shape), name="image")
    return 0


def _remember(walk: _Walk, layer: Layer, item: int) -> int:
    walk.outer_skips.append(walk.tensor)
    return 0


def _merge(walk: _Walk, layer: Layer, item: int) -> int:
    if not walk.outer_skips:
        raise ValueError("there is no Outer skip source left to merge with")
    merge = MERGES[layer.outer_skip_target.skip_type](name=_layer_name(layer, item))
    walk.tensor = merge([walk.outer_skips.pop(), walk.tensor])
    return 0


def _apply(walk: _Walk, layer: Layer, item: int) -> int:
    kind = layer.WhichOneof("type")
    parameters = 0
    for keras_layer in BUILDERS[kind](getattr(layer, kind), layer.rank, _layer_name(layer, item)):
        walk.tensor = keras_layer(walk.tensor)
        if 0 in walk.tensor.shape[1:]:
            raise ValueError(f"nothing is left of the image: the output is {walk.tensor.shape[1:]}")
        parameters += keras_layer.count_params()
    return parameters


_STEPS = {"input": _enter, "outer_skip_source": _remember, "outer_skip_target": _merge}


def _layer_name(layer: Layer, item: int) -> str:
    """Returns a Keras name that leads back to the item of the list."""
    return f"item{item:03d}_{layer.WhichOneof('type')}"


def _misfit(path: str, layer: Layer, tensor: Any, error: Exception) -> InvalidConfig:
    shape = tuple(tensor.shape[1:]) if tensor is not None else ()
    reason = str(error).strip().splitlines()[0]
    message = f"'{format_layer(layer)}' does not fit its input of shape {shape}: {reason}"
    return InvalidConfig([Violation(path, "GRAPH_MISFIT", message)])
