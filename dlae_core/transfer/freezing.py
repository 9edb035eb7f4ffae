"""Layers whose weights training leaves as they are."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.errors import Violation
from dlae_core.graph import Network

PATH = "training_configurations.frozen_layers"
_ITEM = re.compile(r"item(\d+)_")
_RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")


def freeze(networks: Sequence[Network], config: Config) -> list[Violation]:
    """Freezes the layers that a configuration names; returns what is wrong with the names.

    `training_configurations.frozen_layers` holds, with commas in between, numbers of items of the
    layer list from 0 (`3`), ranges of them (`0-12`), and patterns with `*` and `?` of types of
    layers (`Batch normalization`) or of names of Keras layers (`item003_resnet50*_conv1*`). Batch
    normalization that is frozen normalizes as in prediction.
    """
    patterns = [text.strip() for text in config.training_configurations.frozen_layers.split(",")]
    found = []
    for pattern in filter(None, patterns):
        chosen = [layer for network in networks for layer in _matching(network, pattern)]
        if not chosen:
            sentence = (
                "expected numbers, ranges or patterns of layers, such as '0-12' or 'Convolution "
                f"*', got '{pattern}', which fits none"
            )
            found.append(Violation(PATH, "NO_SUCH_LAYER", sentence))
        for layer in chosen:
            layer.trainable = False
    if any(not network.model.trainable_variables for network in networks):
        sentence = "expected something to train, got only layers that are frozen or have no weights"
        found.append(Violation(PATH, "NOTHING_TO_TRAIN", sentence))
    return found


def _matching(network: Network, pattern: str) -> list[keras.Layer]:
    """Returns the layers that a pattern fits."""
    types = {item.item: item.type for item in network.items}
    if match := _RANGE.fullmatch(pattern):
        first, last = int(match[1]), int(match[2] or match[1])
        return [layer for layer in network.model.layers if first <= _item(layer) <= last]
    return [
        layer
        for layer in network.model.layers
        if fnmatchcase(layer.name, pattern) or fnmatchcase(types.get(_item(layer), ""), pattern)
    ]


def _item(layer: keras.Layer) -> int:
    """Returns the item of the layer list that a Keras layer comes from, -1 for none."""
    match = _ITEM.match(layer.name)
    return int(match[1]) if match else -1
