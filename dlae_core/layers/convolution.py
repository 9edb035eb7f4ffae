"""Convolutions: messages of the layer language to Keras layers."""

from typing import Any

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers

CONVOLUTIONS = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
TRANSPOSE_CONVOLUTIONS = {2: keras.layers.Conv2DTranspose, 3: keras.layers.Conv3DTranspose}
UPSAMPLINGS = {2: keras.layers.UpSampling2D, 3: keras.layers.UpSampling3D}

# Which of the two factors each penalty uses.
REGULARIZERS = {"l1": (1, 0), "l2": (0, 1), "l1_l2": (1, 1)}


def convolution(settings: pb.Convolution, rank: int, name: str) -> Layers:
    """Returns a convolution with bias and without activation.

    Differs: the penalty on the output is divided by the batch size, as Keras 3 does, so that it
    does not grow with `batch_size`; DLAE 1.0 summed over the batch.
    """
    return (CONVOLUTIONS[rank](**_arguments(settings), name=name),)


def resize_convolution(settings: pb.ResizeConvolution, rank: int, name: str) -> Layers:
    """Returns nearest-neighbour upsampling and a convolution."""
    upsampling = UPSAMPLINGS[rank](tuple(settings.resize), name=f"{name}_upsampling")
    return (upsampling, CONVOLUTIONS[rank](**_arguments(settings), name=name))


def transpose_convolution(settings: pb.TransposeConvolution, rank: int, name: str) -> Layers:
    """Returns a transposed convolution without output padding."""
    return (TRANSPOSE_CONVOLUTIONS[rank](**_arguments(settings), name=name),)


def upsample(settings: pb.Upsample, rank: int, name: str) -> Layers:
    """Returns nearest-neighbour upsampling."""
    return (UPSAMPLINGS[rank](tuple(settings.size), name=name),)


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
        "kernel_regularizer": _regularizer(settings.kernel_regularizer, settings),
        "activity_regularizer": _regularizer(settings.activity_regularizer, settings),
    }


def _regularizer(
    kind: str, settings: pb.Convolution | pb.ResizeConvolution | pb.TransposeConvolution
) -> keras.Regularizer | None:
    if not kind:
        return None
    use_l1, use_l2 = REGULARIZERS[kind]
    return keras.regularizers.L1L2(l1=use_l1 * settings.l1, l2=use_l2 * settings.l2)


CONVOLUTION_BUILDERS: dict[str, Builder] = {
    "convolution": convolution,
    "resize_convolution": resize_convolution,
    "transpose_convolution": transpose_convolution,
    "upsample": upsample,
}
