"""The type of a builder: a layer's message and its place to the Keras layers to apply in order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True)
class Place:
    """Where in a network a layer is built.

    Attributes:
        rank: Number of spatial axes that the layer's name states; 0 where it carries none.
        name: Name for the Keras layer, unique in the network.
        channels: Length of the last axis of the tensor that comes.
    """

    rank: int
    name: str
    channels: int


Layers = tuple[keras.Layer, ...]
Builder = Callable[[Any, Place], Layers]
