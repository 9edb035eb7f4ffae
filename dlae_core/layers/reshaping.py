"""Layers that rearrange, add or remove values: shape, order of axes, borders."""

from collections.abc import Iterable

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers, Place

ZERO_PADDINGS = {2: keras.layers.ZeroPadding2D, 3: keras.layers.ZeroPadding3D}
CROPPINGS = {2: keras.layers.Cropping2D, 3: keras.layers.Cropping3D}


def reshape(settings: pb.Reshape, place: Place) -> Layers:
    """Returns a change of shape that keeps all values."""
    return (keras.layers.Reshape(tuple(settings.shape), name=place.name),)


def flatten(settings: pb.Flatten, place: Place) -> Layers:
    """Returns the collapse of all axes but the batch."""
    return (keras.layers.Flatten(name=place.name),)


def permute(settings: pb.Permute, place: Place) -> Layers:
    """Returns a change of the order of axes.

    Differs: DLAE 1.0 could not build it (L1). Axes count from 1; a tuple with 0 counts from 0, as
    in the manual's example.
    """
    shift = 1 if 0 in settings.dims else 0
    dims = tuple(axis + shift for axis in settings.dims)
    return (keras.layers.Permute(dims, name=place.name),)


def zero_padding(settings: pb.ZeroPadding, place: Place) -> Layers:
    """Returns zeros around the image."""
    return (ZERO_PADDINGS[place.rank](_pairs(settings.padding), name=place.name),)


def cropping(settings: pb.Cropping, place: Place) -> Layers:
    """Returns the removal of the image's border."""
    return (CROPPINGS[place.rank](_pairs(settings.cropping), name=place.name),)


def _pairs(axes: Iterable[pb.Numbers]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(width) for width in axis.values) for axis in axes)


RESHAPING_BUILDERS: dict[str, Builder] = {
    "reshape": reshape,
    "flatten": flatten,
    "permute": permute,
    "zero_padding": zero_padding,
    "cropping": cropping,
}
