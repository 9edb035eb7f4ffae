"""Pooling: messages of the layer language to Keras layers. Windows are never padded."""

from typing import Any

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers, Place

MAX_POOLINGS = {2: keras.layers.MaxPooling2D, 3: keras.layers.MaxPooling3D}
AVERAGE_POOLINGS = {2: keras.layers.AveragePooling2D, 3: keras.layers.AveragePooling3D}
GLOBAL_MAX_POOLINGS = {2: keras.layers.GlobalMaxPooling2D, 3: keras.layers.GlobalMaxPooling3D}
GLOBAL_AVERAGE_POOLINGS = {
    2: keras.layers.GlobalAveragePooling2D,
    3: keras.layers.GlobalAveragePooling3D,
}


def max_pooling(settings: pb.MaxPooling, place: Place) -> Layers:
    """Returns the largest value of each window."""
    return (MAX_POOLINGS[place.rank](**_window(settings), name=place.name),)


def average_pooling(settings: pb.AveragePooling, place: Place) -> Layers:
    """Returns the mean of each window."""
    return (AVERAGE_POOLINGS[place.rank](**_window(settings), name=place.name),)


def global_max_pooling(settings: pb.GlobalMaxPooling, place: Place) -> Layers:
    """Returns the largest value of each channel."""
    return (GLOBAL_MAX_POOLINGS[place.rank](name=place.name),)


def global_average_pooling(settings: pb.GlobalAveragePooling, place: Place) -> Layers:
    """Returns the mean of each channel."""
    return (GLOBAL_AVERAGE_POOLINGS[place.rank](name=place.name),)


def _window(settings: pb.MaxPooling | pb.AveragePooling) -> dict[str, Any]:
    return {
        "pool_size": tuple(settings.pool_size),
        "strides": tuple(settings.stride) or None,
        "padding": "valid",
    }


POOLING_BUILDERS: dict[str, Builder] = {
    "max_pooling": max_pooling,
    "average_pooling": average_pooling,
    "global_max_pooling": global_max_pooling,
    "global_average_pooling": global_average_pooling,
}
