"""Sizes and weights of networks, worked out from their layer lists without Keras.

What backbones do is table 2.3 of the specification of DLAE 1.0.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlae.v1.layers_pb2 import Layer
from dlae_core.config import read_config
from dlae_core.config.prebuilt import prebuilt_sections

# Channels of the five levels, finest first, and weights for one input channel.
BACKBONES = {
    "Xception": ((32, 256, 728, 1024, 2048), 20860904),
    "VGG16": ((64, 128, 256, 512, 512), 14713536),
    "VGG19": ((64, 128, 256, 512, 512), 20023232),
    "ResNet50": ((64, 256, 512, 1024, 2048), 23581440),
    "ResNet101": ((64, 256, 512, 1024, 2048), 42651904),
    "ResNet152": ((64, 256, 512, 1024, 2048), 58364672),
    "ResNet50V2": ((64, 64, 128, 256, 2048), 23558528),
    "ResNet101V2": ((64, 64, 128, 256, 2048), 42620288),
    "ResNet152V2": ((64, 64, 128, 256, 2048), 58325376),
    "ResNeXt50": ((64, 256, 512, 1024, 2048), 23041856),
    "ResNeXt101": ((64, 256, 512, 1024, 2048), 42260288),
    "InceptionV3": ((32, 80, 96, 192, 2048), 21802208),
    "InceptionResNetV2": ((32, 80, 256, 288, 1536), 54336160),
    "DenseNet121": ((64, 256, 512, 1024, 1024), 7031232),
    "DenseNet169": ((64, 256, 512, 1280, 1664), 12636608),
    "DenseNet201": ((64, 256, 512, 1792, 1920), 18315712),
    "MobileNet": ((64, 128, 256, 512, 1024), 3228288),
    "MobileNetV2": ((96, 144, 192, 576, 1280), 2257408),
}
# Least sides that keras-applications accepts.
SMALLEST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
# Normalization that the finest level of these adds where it is met.
NEW_NORMALIZATION = {"ResNet50V2", "ResNet101V2", "ResNet152V2"}

Tensor = tuple[tuple[int, ...], int]


@dataclass
class Trace:
    """Where a network ends.

    Attributes:
        space: Sides of the output; empty for a vector.
        channels: Of the output.
        parameters: Weights, the statistics of batch normalization among them.
        hooks: Side and channels of the tensors that a detector predicts from.
        fits: Whether every tensor has pixels and every skip meets a tensor of its size.
    """

    space: tuple[int, ...] = ()
    channels: int = 0
    parameters: int = 0
    hooks: list[tuple[int, int]] = field(default_factory=list)
    fits: bool = True
    skips: list[Tensor] = field(default_factory=list)


def layers_of(name: str, key: str = "serial_layer_list") -> Sequence[Layer]:
    """Returns one list of a prebuilt network as it comes."""
    sections = {"layers": prebuilt_sections(name)["layers"]}
    return list(getattr(read_config(json.dumps(sections)).config.layers, key))


def trace(layers: Sequence[Layer], space: tuple[int, ...], channels: int = 1) -> Trace:
    """Follows an image of one shape through a list of layers, up to where it does not fit."""
    state = Trace(space, channels)
    for layer in layers:
        kind = layer.WhichOneof("type") or ""
        if kind in _STEPS:
            _STEPS[kind](state, getattr(layer, kind))
        state.fits &= min((*state.space, state.channels)) > 0
        if not state.fits:
            break
    return state


def _convolve(state: Trace, message: Any) -> None:
    state.parameters += (math.prod(message.kernel) * state.channels + 1) * message.filters
    state.channels = message.filters
    spans = [
        (kernel - 1) * dilation if message.padding == "valid" else 0
        for kernel, dilation in zip(message.kernel, message.dilation, strict=True)
    ]
    state.space = tuple(
        -(-(side - span) // stride)
        for side, span, stride in zip(state.space, spans, message.stride, strict=True)
    )


def _resize(state: Trace, message: Any) -> None:
    factors = zip(state.space, message.resize, strict=True)
    state.space = tuple(side * factor for side, factor in factors)
    _convolve(state, message)


def _pool(state: Trace, message: Any) -> None:
    windows = zip(state.space, message.pool_size, message.stride, strict=True)
    state.space = tuple((side - size) // stride + 1 for side, size, stride in windows)


def _pad(state: Trace, message: Any) -> None:
    pairs = zip(state.space, message.padding, strict=True)
    state.space = tuple(side + int(sum(pair.values)) for side, pair in pairs)


def _normalize(state: Trace, message: Any) -> None:
    state.parameters += 4 * state.channels


def _flatten(state: Trace, message: Any) -> None:
    state.channels *= math.prod(state.space)
    state.space = ()


def _average(state: Trace, message: Any) -> None:
    state.space = ()


def _connect(state: Trace, message: Any) -> None:
    state.parameters += (state.channels + 1) * message.units
    state.channels = message.units


def _remember(state: Trace, message: Any) -> None:
    state.skips.append((state.space, state.channels))


def _meet(state: Trace, message: Any) -> None:
    space, channels = state.skips.pop()
    state.fits &= space == state.space
    state.channels += channels


def _hook(state: Trace, message: Any) -> None:
    state.hooks.append((state.space[0], state.channels))


def _run_backbone(state: Trace, message: Any) -> None:
    name = message.network
    widths, weights = BACKBONES[name]
    state.fits &= min(state.space) >= SMALLEST.get(name, 32)
    finest = 0 if name.startswith("VGG") else 1
    levels = [
        (tuple(-(-side // 2**power) for side in state.space), width)
        for power, width in enumerate(widths, finest)
    ]
    less = 2 if name.startswith("Inception") else 0
    state.space = tuple(-(-side // 32) - less for side in state.space)
    state.channels = widths[-1]
    state.parameters += weights
    if message.skips:
        state.skips = levels
        state.parameters += 4 * widths[0] if name in NEW_NORMALIZATION else 0
    if message.hooks:
        state.hooks = [(space[0], width) for space, width in levels]


_STEPS: dict[str, Callable[[Trace, Any], None]] = {
    "convolution": _convolve,
    "resize_convolution": _resize,
    "max_pooling": _pool,
    "zero_padding": _pad,
    "batch_normalization": _normalize,
    "flatten": _flatten,
    "global_average_pooling": _average,
    "dense": _connect,
    "outer_skip_source": _remember,
    "outer_skip_target": _meet,
    "hook_connection_source": _hook,
    "backbone": _run_backbone,
}
