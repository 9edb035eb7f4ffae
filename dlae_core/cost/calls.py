"""Networks as the cost of training sees them: layers applied to tensors, one after the other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Call:
    """One application of a layer.

    Attributes:
        kind: Class of the layer: `Conv2D`.
        layer: The layer, or an operation of `keras.ops`.
        inputs: Tensors (batch, ...) that it reads.
        output: The tensor (batch, ...) that it makes; the first where it makes several.
    """

    kind: str
    layer: Any
    inputs: tuple[Any, ...]
    output: Any

    @property
    def values(self) -> int:
        """Number of values of the output, for one sample."""
        return values_of(self.output)

    @property
    def input_values(self) -> int:
        """Number of values of all inputs, for one sample."""
        return sum(values_of(tensor) for tensor in self.inputs)

    @property
    def activation(self) -> str:
        """Name of the activation function that the layer applies in the end; `linear` for none."""
        function = getattr(self.layer, "activation", None)
        return str(getattr(function, "__name__", function or "linear"))


def calls_of(model: keras.Model) -> list[Call]:
    """Returns what a functional model does, in an order in which it can be done."""
    return list(_calls(model))


def values_of(tensor: Any) -> int:
    """Returns the number of values of one sample of a tensor (batch, ...)."""
    return math.prod(tensor.shape[1:])


def has_known_shapes(model: keras.Model) -> bool:
    """Returns whether every input has a length on every axis but the batch."""
    return all(None not in tensor.shape[1:] for tensor in model.inputs)


def _calls(model: keras.Model) -> Iterator[Call]:
    # Keras has no public way to the order of a functional model.
    depths = model._nodes_by_depth
    for depth in sorted(depths, reverse=True):
        for node in depths[depth]:
            if not node.is_input:
                layer = node.operation
                inputs, output = tuple(node.input_tensors), node.output_tensors[0]
                yield Call(type(layer).__name__, layer, inputs, output)
