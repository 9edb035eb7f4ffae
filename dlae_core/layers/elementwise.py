"""Layers that keep or only rearrange values: activation, normalization, dropout, shape, dense."""

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers

SPATIAL_DROPOUTS = {2: keras.layers.SpatialDropout2D, 3: keras.layers.SpatialDropout3D}


def reshape(settings: pb.Reshape, rank: int, name: str) -> Layers:
    """Returns a change of shape that keeps all values."""
    return (keras.layers.Reshape(tuple(settings.shape), name=name),)


def flatten(settings: pb.Flatten, rank: int, name: str) -> Layers:
    """Returns the collapse of all axes but the batch."""
    return (keras.layers.Flatten(name=name),)


def dense(settings: pb.Dense, rank: int, name: str) -> Layers:
    """Returns a fully connected layer, Glorot uniform kernel and zero bias."""
    return (keras.layers.Dense(settings.units, name=name),)


def activation(settings: pb.Activation, rank: int, name: str) -> Layers:
    """Returns an activation function; softmax is over the last axis."""
    return (keras.layers.Activation(settings.activation, name=name),)


def leaky_relu(settings: pb.LeakyRelu, rank: int, name: str) -> Layers:
    """Returns a rectifier with a small slope below zero."""
    return (keras.layers.LeakyReLU(negative_slope=settings.alpha, name=name),)


def batch_normalization(settings: pb.BatchNormalization, rank: int, name: str) -> Layers:
    """Returns batch normalization of the last axis."""
    layer = keras.layers.BatchNormalization(
        momentum=settings.momentum, epsilon=settings.epsilon, name=name
    )
    return (layer,)


def dropout(settings: pb.Dropout, rank: int, name: str) -> Layers:
    """Returns dropout of single values."""
    return (keras.layers.Dropout(settings.rate, name=name),)


def spatial_dropout(settings: pb.SpatialDropout, rank: int, name: str) -> Layers:
    """Returns dropout of whole channels."""
    return (SPATIAL_DROPOUTS[rank](settings.rate, name=name),)


ELEMENTWISE_BUILDERS: dict[str, Builder] = {
    "reshape": reshape,
    "flatten": flatten,
    "dense": dense,
    "activation": activation,
    "leaky_relu": leaky_relu,
    "batch_normalization": batch_normalization,
    "dropout": dropout,
    "spatial_dropout": spatial_dropout,
}
