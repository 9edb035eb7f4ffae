"""Rules about what a network ends in, where that can be seen from its list."""

from collections.abc import Iterator
from typing import NamedTuple

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import (
    GENERATOR,
    IMAGENET_CLASSES,
    SERIAL,
    LayerList,
    layer_list,
)
from dlae_core.config.loss_kinds import CLASSIFICATION_LOSSES, ONE_HOT_LOSSES
from dlae_core.errors import Violation

_CLASSIFIERS = ("CNN", "FCN")
# Layers after which the last axis still has the outputs of the weights before them.
_CHANNEL_KEEPING = (
    "activation",
    "alpha_dropout",
    "average_pooling",
    "batch_normalization",
    "cropping",
    "dropout",
    "elu",
    "gaussian_dropout",
    "gaussian_noise",
    "global_average_pooling",
    "global_max_pooling",
    "hook_connection_source",
    "hook_connection_target",
    "inner_skip_source",
    "leaky_relu",
    "max_pooling",
    "outer_skip_source",
    "prelu",
    "spatial_dropout",
    "thresholded_relu",
    "upsample",
    "zero_padding",
)
_OUTPUT_FIELDS = {
    "dense": "units",
    "convolution": "filters",
    "resize_convolution": "filters",
    "transpose_convolution": "filters",
    "separable_convolution": "filters",
    "depthwise_separable_convolution": "filters",
}
# Layers that leave probabilities probabilities.
_VALUE_KEEPING = (
    "average_pooling",
    "cropping",
    "flatten",
    "global_average_pooling",
    "hook_connection_source",
    "hook_connection_target",
    "inner_skip_source",
    "outer_skip_source",
    "permute",
    "reshape",
    "upsample",
)
# Layers after which values are no probabilities, whatever they were.
_UNBOUNDED = (
    *_OUTPUT_FIELDS,
    "batch_normalization",
    "dropout",
    "elu",
    "leaky_relu",
    "prelu",
    "thresholded_relu",
)
_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid")


class _Outputs(NamedTuple):
    path: str
    number: int


def class_count(config: Config) -> Iterator[Violation]:
    """The network ends in one output per class."""
    loss = config.loss_function.loss
    if config.config_file.model_signal not in _CLASSIFIERS or loss not in CLASSIFICATION_LOSSES:
        return
    last = _last_outputs(layer_list(config, SERIAL))
    if last is None:
        return
    categories = config.preprocessing.categories
    if last.number < 2:
        sentence = f"expected at least 2 outputs, one per class, for {loss}, got {last.number}"
        yield Violation(last.path, "CLASS_COUNT_MISMATCH", sentence)
    elif loss in ONE_HOT_LOSSES and last.number != categories:
        sentence = (
            f"expected {categories} outputs, one per class (preprocessing.categories is "
            f"{categories}), got {last.number}"
        )
        yield Violation(last.path, "CLASS_COUNT_MISMATCH", sentence)


def no_probabilities(config: Config) -> Iterator[Violation]:
    """Warns of a classifier that ends in no softmax, as AlexNet of DLAE 1.0 (C23)."""
    loss = config.loss_function.loss
    if config.config_file.model_signal not in _CLASSIFIERS or loss not in CLASSIFICATION_LOSSES:
        return
    layers = layer_list(config, SERIAL)
    item = _last_item(layers, _VALUE_KEEPING)
    if item is None:
        return
    kind = layers.kinds[item]
    wrong_activation = kind == "activation" and (
        layers.settings(item).activation not in _PROBABILITIES
    )
    if kind in _UNBOUNDED or wrong_activation:
        sentence = f"{loss} compares probabilities, but no softmax follows this layer"
        yield Violation(layers.place(item), "NO_PROBABILITIES", sentence)


def unscaled_targets(config: Config) -> Iterator[Violation]:
    """Warns of a GAN whose generator gives -1 to 1 while the targets have another range (C25)."""
    layers, kind = layer_list(config, GENERATOR), config.preprocessing.normalization_type
    if config.config_file.model_signal != "GAN" or kind == "none" or kind.endswith("negpos_xy"):
        return
    item = _last_item(layers, _VALUE_KEEPING)
    if item is None or layers.kinds[item] != "activation":
        return
    if layers.settings(item).activation == "tanh":
        sentence = (
            f"the generator ends in tanh, -1 to 1, but '{kind}' does not scale the annotations "
            "so; 'samplewise_negpos_xy' does"
        )
        yield Violation("preprocessing.normalization_type", "RANGE_MISMATCH", sentence)


def _last_outputs(layers: LayerList) -> _Outputs | None:
    """Returns where the number of outputs of the last layer with weights stands."""
    item = _last_item(layers, _CHANNEL_KEEPING)
    if item is None:
        return None
    kind, settings = layers.kinds[item], layers.settings(item)
    if kind in _OUTPUT_FIELDS:
        key = _OUTPUT_FIELDS[kind]
        return _Outputs(f"{layers.place(item)}.{key}", getattr(settings, key))
    if kind == "backbone" and settings.include_top:
        return _Outputs(f"{layers.place(item)}.include_top", IMAGENET_CLASSES)
    return None


def _last_item(layers: LayerList, passed: tuple[str, ...]) -> int | None:
    """Returns the last item that is not of the kinds passed; None where it could not be read."""
    for item in reversed(range(len(layers.kinds))):
        if layers.kinds[item] not in passed:
            return None if layers.kinds[item] is None else item
    return None
