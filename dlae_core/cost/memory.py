"""Memory of training: what the forward pass leaves for the backward pass, and what comes on top.

TensorFlow frees a tensor after its last use. Of a layer the backward pass uses its input, its
output, both or neither; a tensor that two layers need is held once. From the last layer to the
first, these tensors are freed while gradients come and go; the largest sum is the peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlae_core.cost.calls import FLOAT32_BYTES, Call, values_of


@dataclass(frozen=True)
class Kept:
    """What the backward pass of a layer needs.

    Attributes:
        inputs: Whether it needs the inputs.
        output: Whether it needs the output.
        beside: Bytes per value of the output that it needs besides: masks, noise.
        scratch: Temporary values while it runs, per value of the larger of input and output.
        shared: Whether the output is the input under another shape, without memory of its own.
    """

    inputs: bool = False
    output: bool = False
    beside: float = 0.0
    scratch: float = 0.0
    shared: bool = False


_CONVOLUTION = Kept(inputs=True, scratch=1.0)
_POOLING = Kept(inputs=True, output=True)
_NOTHING = Kept()
_SHARED = Kept(shared=True)
# Safe for what is not known.
_EVERYTHING = Kept(inputs=True, output=True)

KEPT: dict[str, Kept] = {
    "Conv2D": _CONVOLUTION,
    "Conv3D": _CONVOLUTION,
    "Conv2DTranspose": _CONVOLUTION,
    "Conv3DTranspose": _CONVOLUTION,
    "DepthwiseConv2D": _CONVOLUTION,
    "SeparableConv2D": _CONVOLUTION,
    "Dense": Kept(inputs=True),
    # Moments and scaling are single operations: squared differences, their gradients, their sum.
    "BatchNormalization": Kept(inputs=True, scratch=3.0),
    "MaxPooling2D": _POOLING,
    "MaxPooling3D": _POOLING,
    "GlobalMaxPooling2D": _POOLING,
    "GlobalMaxPooling3D": _POOLING,
    "AveragePooling2D": _NOTHING,
    "AveragePooling3D": _NOTHING,
    "GlobalAveragePooling2D": _NOTHING,
    "GlobalAveragePooling3D": _NOTHING,
    "UpSampling2D": Kept(scratch=1.0),
    "UpSampling3D": Kept(scratch=1.0),
    "ZeroPadding2D": _NOTHING,
    "ZeroPadding3D": _NOTHING,
    "Cropping2D": _NOTHING,
    "Cropping3D": _NOTHING,
    "Permute": _NOTHING,
    "Concatenate": _NOTHING,
    "Add": _NOTHING,
    "Subtract": _NOTHING,
    "Average": _NOTHING,
    "Multiply": Kept(inputs=True),
    "Maximum": Kept(inputs=True),
    "Rescaling": _NOTHING,
    "GaussianNoise": _NOTHING,
    "Flatten": _SHARED,
    "Reshape": _SHARED,
    "Identity": _SHARED,
    # One byte per value says whether it was kept.
    "Dropout": Kept(beside=1.0, scratch=1.0),
    "SpatialDropout2D": _NOTHING,
    "SpatialDropout3D": _NOTHING,
    "GaussianDropout": Kept(beside=4.0),
    "AlphaDropout": Kept(beside=4.0),
    "LeakyReLU": Kept(inputs=True),
    "ELU": Kept(output=True),
    "ReLU": Kept(output=True),
    # Both halves are rectified apart.
    "PReLU": Kept(inputs=True, beside=8.0),
    # Operations of `keras.ops`, of backbones and detectors.
    "GetItem": _NOTHING,
    "Sum": _NOTHING,
    "ZerosLike": _NOTHING,
    "Square": Kept(inputs=True),
    "Rsqrt": Kept(output=True),
}

_OF_OUTPUT = ("relu", "sigmoid", "tanh", "softmax", "elu", "selu", "exponential", "relu6")


def kept_by(call: Call) -> Kept:
    """Returns what the backward pass of a layer needs."""
    if call.kind == "Activation":
        if call.activation == "linear":
            return _SHARED
        return Kept(output=True) if call.activation in _OF_OUTPUT else Kept(inputs=True)
    row = KEPT.get(call.kind, _EVERYTHING)
    if call.activation == "linear":
        return row
    if call.activation in _OF_OUTPUT:
        return Kept(row.inputs, True, row.beside, row.scratch)
    # Its own input is no tensor of the graph.
    return Kept(row.inputs, row.output, row.beside + FLOAT32_BYTES, row.scratch)


def kept_bytes(calls: Sequence[Call]) -> float:
    """Returns the bytes that the forward pass of one sample leaves for the backward pass.

    Inputs of the network are not counted.

    Args:
        calls: What the network does, in order.
    """
    return _Backward(calls).kept


def activation_bytes(calls: Sequence[Call], batch: int) -> float:
    """Returns the peak of intermediate results and their gradients in one training step.

    Inputs of the network are not counted.

    Args:
        calls: What the network does, in order.
        batch: Number of samples.

    Returns:
        Bytes.
    """
    return _Backward(calls).peak() * batch


class _Backward:
    """The backward pass of one sample, layer by layer. Sizes are in bytes."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._owner: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._first_use: dict[int, int] = {}
        self._beside = [0.0] * len(calls)
        made = {id(call.output) for call in calls}
        for number, call in enumerate(calls):
            row = kept_by(call)
            if row.shared:
                self._owner[id(call.output)] = self._owner_of(call.inputs[0])
            used = (*(call.inputs if row.inputs else ()), *((call.output,) if row.output else ()))
            for tensor in used:
                if id(tensor) in made:
                    self._first_use.setdefault(self._owner_of(tensor), number)
                    self._size[self._owner_of(tensor)] = FLOAT32_BYTES * values_of(tensor)
            self._beside[number] = row.beside * call.values
        self.kept = sum(self._size.values()) + sum(self._beside)

    def peak(self) -> float:
        """Returns the largest sum of what is left and the gradients on their way."""
        left = self.kept
        freed: dict[int, float] = dict.fromkeys(range(len(self._calls)), 0.0)
        for tensor, number in self._first_use.items():
            freed[number] += self._size[tensor]
        gradients: dict[int, float] = {}
        highest = left
        for number in reversed(range(len(self._calls))):
            call = self._calls[number]
            own = FLOAT32_BYTES * call.values
            arrived = gradients.pop(self._owner_of(call.output), own)
            for tensor in call.inputs:
                gradients[self._owner_of(tensor)] = FLOAT32_BYTES * values_of(tensor)
            scratch = kept_by(call).scratch * max(own, FLOAT32_BYTES * call.input_values)
            highest = max(highest, left + arrived + sum(gradients.values()) + scratch)
            left -= freed[number] + self._beside[number]
        return highest

    def _owner_of(self, tensor: Any) -> int:
        return self._owner.get(id(tensor), id(tensor))
