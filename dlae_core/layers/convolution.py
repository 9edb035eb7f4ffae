"""Convolutions: messages of the layer language to Keras layers."""

from typing import Any

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers, Place

CONVOLUTIONS = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
TRANSPOSE_CONVOLUTIONS = {2: keras.layers.Conv2DTranspose, 3: keras.layers.Conv3DTranspose}
UPSAMPLINGS = {2: keras.layers.UpSampling2D, 3: keras.layers.UpSampling3D}

# Which of the two factors each penalty uses.
REGULARIZERS = {"l1": (1, 0), "l2": (0, 1), "l1_l2": (1, 1)}


def convolution(settings: pb.Convolution, place: Place) -> Layers:
    """Returns a convolution with bias and without activation.

    Differs: the penalty on the output is divided by the batch size, as Keras 3 does, so that it
    does not grow with `batch_size`; DLAE 1.0 summed over the batch.
    """
    return (CONVOLUTIONS[place.rank](**_arguments(settings), name=place.name),)


def resize_convolution(settings: pb.ResizeConvolution, place: Place) -> Layers:
    """Returns nearest-neighbour upsampling and a convolution."""
    upsampling = UPSAMPLINGS[place.rank](tuple(settings.resize), name=f"{place.name}_upsampling")
    return (upsampling, CONVOLUTIONS[place.rank](**_arguments(settings), name=place.name))


def transpose_convolution(settings: pb.TransposeConvolution, place: Place) -> Layers:
    """Returns a transposed convolution without output padding."""
    return (TRANSPOSE_CONVOLUTIONS[place.rank](**_arguments(settings), name=place.name),)


def upsample(settings: pb.Upsample, place: Place) -> Layers:
    """Returns nearest-neighbour upsampling."""
    return (UPSAMPLINGS[place.rank](tuple(settings.size), name=place.name),)


def _arguments(
    settings: pb.Convolution | pb.ResizeConvolution | pb.TransposeConvolution,
) -> dict[str, Any]:
    return {
        "filters": settings.filters,
        "kernel_size": tuple(settings.kernel),
        "strides": tuple(settings.stride),
        "padding": settings.padding,
        "dilation_rate": tuple(settings.dilation),
        "kernel_initializer": settings.initializer,
        "kernel_regularizer": regularizer(settings.kernel_regularizer, settings.l1, settings.l2),
        "activity_regularizer": regularizer(
            settings.activity_regularizer, settings.l1, settings.l2
        ),
    }


def regularizer(kind: str, l1: float, l2: float) -> keras.Regularizer | None:
    """Returns the penalty `l1 sum|w| + l2 sum w^2`, of which `kind` says which terms it has.

    Args:
        kind: `l1`, `l2`, `l1_l2`, or empty for none.
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares, no half.
    """
    if not kind:
        return None
    use_l1, use_l2 = REGULARIZERS[kind]
    return keras.regularizers.L1L2(l1=use_l1 * l1, l2=use_l2 * l2)


CONVOLUTION_BUILDERS: dict[str, Builder] = {
    "convolution": convolution,
    "resize_convolution": resize_convolution,
    "transpose_convolution": transpose_convolution,
    "upsample": upsample,
}
