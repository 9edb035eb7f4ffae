"""Work of a network: multiply-adds of its heavy layers, and bytes that all layers move.

Convolutions and dense layers multiply; what is left of their time, and all the time of every other
layer, goes into reading and writing tensors.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlae_core.cost.calls import FLOAT32_BYTES, Call


@dataclass(frozen=True)
class Work:
    """Work for one sample, but for that on weights.

    Attributes:
        multiply_adds: Of the forward pass.
        effective: Multiply-adds of a plain convolution that takes as long.
        forward_bytes: Read and written by the forward pass.
        backward_bytes: Read and written by the backward pass.
        weight_bytes: Read and written by both passes, once for all samples of a batch.
    """

    multiply_adds: float = 0.0
    effective: float = 0.0
    forward_bytes: float = 0.0
    backward_bytes: float = 0.0
    weight_bytes: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.multiply_adds + other.multiply_adds,
            self.effective + other.effective,
            self.forward_bytes + other.forward_bytes,
            self.backward_bytes + other.backward_bytes,
            self.weight_bytes + other.weight_bytes,
        )


@dataclass(frozen=True)
class Passes:
    """How often a layer goes over its tensors, reading and writing.

    Attributes:
        forward: Over its output, in the forward pass.
        backward: Over its output, in the backward pass.
        forward_inputs: Over its inputs, in the forward pass.
        backward_inputs: Over its inputs, in the backward pass.
    """

    forward: float = 0.0
    backward: float = 0.0
    forward_inputs: float = 0.0
    backward_inputs: float = 0.0


# Bias: added in place, and summed up in the backward pass.
_MULTIPLYING = Passes(forward=3, backward=3, forward_inputs=1, backward_inputs=2)
_ELEMENTWISE = Passes(forward=2, backward=3)
_POOLING = Passes(forward=1, backward=2, forward_inputs=1, backward_inputs=3)
_MOVING = Passes(forward=1, backward=1, forward_inputs=1, backward_inputs=1)
_FREE = Passes()

PASSES: dict[str, Passes] = {
    "Conv2D": _MULTIPLYING,
    "Conv3D": _MULTIPLYING,
    "Conv2DTranspose": _MULTIPLYING,
    "Conv3DTranspose": _MULTIPLYING,
    "DepthwiseConv2D": _MULTIPLYING,
    "SeparableConv2D": Passes(forward=3, backward=3, forward_inputs=3, backward_inputs=5),
    "Dense": _MULTIPLYING,
    # Mean, squared differences, their mean, scale, offset; and the gradients of each.
    "BatchNormalization": Passes(forward=9, backward=13),
    "MaxPooling2D": _POOLING,
    "MaxPooling3D": _POOLING,
    "AveragePooling2D": _POOLING,
    "AveragePooling3D": _POOLING,
    "GlobalMaxPooling2D": _POOLING,
    "GlobalMaxPooling3D": _POOLING,
    "GlobalAveragePooling2D": Passes(forward_inputs=1, backward_inputs=1),
    "GlobalAveragePooling3D": Passes(forward_inputs=1, backward_inputs=1),
    # One axis after the other.
    "UpSampling2D": Passes(forward=2.5, backward=2.5),
    "UpSampling3D": Passes(forward=3, backward=3),
    "ZeroPadding2D": _MOVING,
    "ZeroPadding3D": _MOVING,
    "Cropping2D": _MOVING,
    "Cropping3D": _MOVING,
    "Permute": _MOVING,
    "Concatenate": _MOVING,
    "Add": Passes(forward=1, forward_inputs=1, backward_inputs=1),
    # Random numbers, comparison, scale and choice.
    "Dropout": Passes(forward=9, backward=4),
    "GaussianDropout": Passes(forward=9, backward=4),
    "AlphaDropout": Passes(forward=12, backward=6),
    "GaussianNoise": Passes(forward=9, backward=1),
    "PReLU": Passes(forward=9, backward=12),
    "Flatten": _FREE,
    "Reshape": _FREE,
    "Identity": _FREE,
}


# TensorFlow has no kernel for the gradients of grouped convolutions on processors; what it compiles
# instead takes as long as sixty convolutions without groups.
GROUPED = 60
# Over the weights of a dense layer, which are as large as a batch is small: read, transposed and
# read again, and their gradient.
DENSE_PASSES = 7


def work_of(call: Call) -> Work:
    """Returns the work of one layer for one sample."""
    count = MULTIPLY_ADDS.get(call.kind)
    passes = PASSES.get(call.kind, _ELEMENTWISE)
    if call.kind == "Activation" and call.activation == "linear":
        passes = _FREE
    values, inputs = call.values, call.input_values
    forward = passes.forward * values + passes.forward_inputs * inputs
    backward = passes.backward * values + passes.backward_inputs * inputs
    if count and call.activation != "linear":
        forward += _ELEMENTWISE.forward * values
        backward += _ELEMENTWISE.backward * values
    multiply_adds = count(call) if count else 0.0
    groups, dense = getattr(call.layer, "groups", 1), call.kind == "Dense"
    return Work(
        multiply_adds=multiply_adds,
        effective=multiply_adds * (groups * GROUPED if groups > 1 else 1),
        forward_bytes=FLOAT32_BYTES * forward,
        backward_bytes=FLOAT32_BYTES * backward,
        weight_bytes=FLOAT32_BYTES * DENSE_PASSES * _weights(call.layer.kernel) if dense else 0.0,
    )


def _convolution(call: Call) -> float:
    """Returns every output position times every weight of the kernel."""
    return _positions(call.output) * _weights(call.layer.kernel)


def _transpose_convolution(call: Call) -> float:
    """Returns every input position times every weight of the kernel."""
    return _positions(call.inputs[0]) * _weights(call.layer.kernel)


def _separable(call: Call) -> float:
    """Returns every output position times every weight of both kernels."""
    layer = call.layer
    weights = _weights(layer.depthwise_kernel) + _weights(layer.pointwise_kernel)
    return _positions(call.output) * weights


def _dense(call: Call) -> float:
    """Returns every position of the input times every weight of the kernel."""
    return _positions(call.inputs[0]) * _weights(call.layer.kernel)


def _positions(tensor: Any) -> int:
    return math.prod(tensor.shape[1:-1])


def _weights(kernel: Any) -> int:
    return math.prod(kernel.shape)


MULTIPLY_ADDS: dict[str, Callable[[Call], float]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transpose_convolution,
    "Conv3DTranspose": _transpose_convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv2D": _separable,
    "Dense": _dense,
}
