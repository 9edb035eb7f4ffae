"""The type of a builder: message, rank and name to the Keras layers to apply in order."""

from collections.abc import Callable
from typing import Any

import keras

Layers = tuple[keras.Layer, ...]
Builder = Callable[[Any, int, str], Layers]
