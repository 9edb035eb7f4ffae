"""Finding and naming what a graph is made of."""

from typing import Any

import keras


def layers_between(image: Any, output: Any) -> tuple[keras.Layer, ...]:
    """Returns the layers that lead from one tensor to another, in the order of Keras' own models.

    Weights files are in this order: by distance from the output, the farthest first.
    """
    sources = keras.utils.get_source_inputs(image)
    before = {id(layer) for layer in keras.Model(sources, image).layers}
    layers = keras.Model(sources, output).layers
    return tuple(layer for layer in layers if id(layer) not in before)


def named(tensor: Any, name: str) -> Any:
    """Names the operation of `keras.ops` that made a tensor; these take no name themselves."""
    tensor._keras_history.operation.name = name
    return tensor
