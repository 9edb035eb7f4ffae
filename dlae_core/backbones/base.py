"""The contract of a network of the literature: an image to five feature levels and an output."""

from dataclasses import dataclass
from typing import Any

import keras

from dlae_core.backbones.row import Backbone, Level
from dlae_core.backbones.scaling import scaled_input
from dlae_core.backbones.table import BACKBONES
from dlae_core.backbones.tracing import layers_between
from dlae_core.backbones.weights import load_weights

# What names no weights at all. Differs: DLAE 1.0 took only `none` (L9).
UNTRAINED = ("none", "None", "")


@dataclass(frozen=True)
class Features:
    """What a network makes of an image.

    Attributes:
        levels: Five tensors float32 (batch, rows, cols, channels), shallow to deep: S/2, S/4, S/8,
            S/16 and S/32 for sides S divisible by 32; VGG: S to S/16.
        output: The last feature map, unpooled, or (batch, 1000) class probabilities.
        layers: The layers up to the output. Levels have layers of their own besides: padding, and
            the normalization of ResNetV2's first level.
    """

    levels: tuple[keras.KerasTensor, ...]
    output: keras.KerasTensor
    layers: tuple[keras.Layer, ...]


def build_backbone(
    network: str,
    image: keras.KerasTensor,
    *,
    name: str,
    include_top: bool = False,
    weights: str = "none",
    input_scaling: bool = False,
) -> Features:
    """Applies a network to a tensor.

    Differs: DLAE 1.0 gave a network an input of its own and lost what came before (G3, G4), and
    found Inception's levels only in the first network of a process (L7).

    Args:
        network: Name in `BACKBONES`.
        image: float32 (batch, rows, cols, channels), any number of channels.
        name: Prefix of the names of all layers, unique in the model.
        include_top: Whether to keep the classifier of the 1000 ImageNet classes.
        weights: `none` for random ones, `imagenet`, or the path of a file.
        input_scaling: Whether to scale intensities 0 to 255 as the ImageNet weights expect;
            otherwise values are used as they are, as in DLAE 1.0 (L8).

    Raises:
        ValueError: The tensor is no image or too small.
        WeightsNotFound: There is no such file.
        IncompatibleArtifact: The weights are of another network.
        CorruptArtifact: The file is damaged.
    """
    row = BACKBONES[network]
    _check(network, image, row)
    scaled = scaled_input(image, row.scaling, name) if input_scaling else image
    output = row.build(scaled, name, include_top)
    layers = layers_between(image, output)
    if weights not in UNTRAINED:
        load_weights(weights, network, include_top, layers)
    by_name = {layer.name: layer for layer in layers}
    found = tuple(
        _level(by_name[f"{name}_{level.layer}"].output, level, f"{name}_level{number}")
        for number, level in enumerate(row.levels, start=1)
    )
    return Features(found, output, layers)


def _check(network: str, image: Any, row: Backbone) -> None:
    shape, side = tuple(image.shape[1:]), row.smallest_side
    if len(shape) != 3:
        raise ValueError(f"{network} expects images of shape (rows, columns, channels)")
    if min(length or side for length in shape[:2]) < side:
        raise ValueError(
            f"{network} expects images of at least {side} rows and {side} columns, got "
            f"{shape[0]} and {shape[1]}"
        )


def _level(tensor: Any, level: Level, name: str) -> Any:
    if level.normalized:
        tensor = keras.layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_bn")(tensor)
        tensor = keras.layers.Activation("relu", name=f"{name}_relu")(tensor)
    if level.padding:
        tensor = keras.layers.ZeroPadding2D(level.padding, name=f"{name}_pad")(tensor)
    return tensor
