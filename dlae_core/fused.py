"""Batch normalization as one operation of TensorFlow, where Keras takes a dozen."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

Call = Callable[..., Any]
Moments = Callable[[Any], tuple[Any, Any]]


def fuse_normalization(model: keras.Model, moments: Moments | None = None) -> None:
    """Makes the batch normalization of a network faster while training.

    Values and gradients are those of Keras up to rounding, moving statistics too. The layers stay
    what they are: they are saved, loaded and used for prediction like any others.

    Args:
        model: The network.
        moments: Returns mean and variance, float32 (channels,), for values (..., channels), where
            they are not those of the values alone. Then nothing is fused.
    """
    for layer in model.layers:
        is_plain = type(layer) is keras.layers.BatchNormalization and "call" not in vars(layer)
        if is_plain and layer.axis in (-1, len(layer.input.shape) - 1):
            learning = _fused if moments is None else partial(_by_moments, moments)
            layer.call = partial(_normalized, layer, layer.call, learning)


def _normalized(
    layer: Any,
    plain: Call,
    learning: Call,
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    if not training or not layer.trainable or mask is not None:
        return plain(inputs, training=training, mask=mask)
    return learning(layer, inputs)


def _fused(layer: Any, inputs: Any) -> Any:
    channels = inputs.shape[-1]
    ones, zeros = tf.ones((channels,)), tf.zeros((channels,))
    # The operation knows images of two axes; which they are makes no difference.
    space = tuple(inputs.shape)[1:-1]
    flat = tf.reshape(inputs, (-1, math.prod(space[:-1]), *(space[-1:] or (1,)), channels))
    output, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=flat,
        scale=layer.gamma.value if layer.scale else ones,
        offset=layer.beta.value if layer.center else zeros,
        mean=zeros,
        variance=zeros,
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.size(flat) // channels, "float32")
    _follow(layer.moving_mean, mean, layer.momentum)
    # It gives the unbiased variance, Keras keeps that of the batch.
    _follow(layer.moving_variance, variance * (count - 1) / count, layer.momentum)
    return tf.reshape(output, tf.shape(inputs))


def _by_moments(moments: Moments, layer: Any, inputs: Any) -> Any:
    values = tf.cast(inputs, tf.float32)
    mean, variance = moments(values)
    _follow(layer.moving_mean, mean, layer.momentum)
    _follow(layer.moving_variance, variance, layer.momentum)
    scale = layer.gamma.value if layer.scale else None
    offset = layer.beta.value if layer.center else None
    output = tf.nn.batch_normalization(values, mean, variance, offset, scale, layer.epsilon)
    return tf.cast(output, inputs.dtype)


def _follow(average: keras.Variable, value: Any, momentum: float) -> None:
    average.assign(average * momentum + value * (1.0 - momentum))
