"""Convolutions of each channel alone, then across channels. 3D is a grouped convolution."""

from typing import Any

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers, Place
from dlae_core.layers.convolution import CONVOLUTIONS, regularizer

Separable = pb.SeparableConvolution | pb.DepthwiseSeparableConvolution


def separable_convolution(settings: pb.SeparableConvolution, place: Place) -> Layers:
    """Returns a convolution of each channel, then across channels, with one bias.

    Reference: Chollet (2017), Xception: deep learning with depthwise separable convolutions.

    Differs: initializer and penalty act on both kernels, DLAE 1.0 ignored them (L4); it exists in
    3D (L10).
    """
    if place.rank == 2:
        layer = keras.layers.SeparableConv2D(
            settings.filters,
            **_window(settings),
            depthwise_initializer=settings.initializer,
            pointwise_initializer=settings.initializer,
            depthwise_regularizer=_kernel_penalty(settings),
            pointwise_regularizer=_kernel_penalty(settings),
            activity_regularizer=_output_penalty(settings),
            name=place.name,
        )
        return (layer,)
    return (_by_channel(settings, place, use_bias=False), _across(settings, place))


def depthwise_separable_convolution(
    settings: pb.DepthwiseSeparableConvolution, place: Place
) -> Layers:
    """Returns a convolution of each channel with a bias, then one across channels with a bias.

    Reference: Howard et al. (2017), MobileNets: efficient convolutional neural networks.

    Differs: DLAE 1.0 could not build it (L2).
    """
    return (_by_channel(settings, place, use_bias=True), _across(settings, place))


def _by_channel(settings: Separable, place: Place, use_bias: bool) -> keras.Layer:
    name = f"{place.name}_depthwise"
    if place.rank == 2:
        return keras.layers.DepthwiseConv2D(
            **_window(settings),
            depthwise_initializer=settings.initializer,
            depthwise_regularizer=_kernel_penalty(settings),
            use_bias=use_bias,
            name=name,
        )
    return keras.layers.Conv3D(
        place.channels,
        **_window(settings),
        groups=place.channels,
        kernel_initializer=settings.initializer,
        kernel_regularizer=_kernel_penalty(settings),
        use_bias=use_bias,
        name=name,
    )


def _across(settings: Separable, place: Place) -> keras.Layer:
    layer: keras.Layer = CONVOLUTIONS[place.rank](
        settings.filters,
        1,
        kernel_initializer=settings.initializer,
        kernel_regularizer=_kernel_penalty(settings),
        activity_regularizer=_output_penalty(settings),
        name=place.name,
    )
    return layer


def _window(settings: Separable) -> dict[str, Any]:
    return {
        "kernel_size": tuple(settings.kernel),
        "strides": tuple(settings.stride),
        "padding": settings.padding,
        "dilation_rate": tuple(settings.dilation),
    }


def _kernel_penalty(settings: Separable) -> keras.Regularizer | None:
    return regularizer(settings.kernel_regularizer, settings.l1, settings.l2)


def _output_penalty(settings: Separable) -> keras.Regularizer | None:
    return regularizer(settings.activity_regularizer, settings.l1, settings.l2)


SEPARABLE_BUILDERS: dict[str, Builder] = {
    "separable_convolution": separable_convolution,
    "depthwise_separable_convolution": depthwise_separable_convolution,
}
