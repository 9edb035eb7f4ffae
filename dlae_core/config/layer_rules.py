"""Rules about the layers of a list: what can be seen without building the network."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_lists import (
    LayerList,
    Tensor,
    joined_images,
    lists_of_model,
    tensors,
    written_lists,
)
from dlae_core.config.layer_text import format_layer, layer_name
from dlae_core.errors import Violation

_BACKBONE_AXES = 2


def list_of_model(config: Config) -> Iterator[Violation]:
    """The lists that the kind of model needs hold layers; a session of inference needs none."""
    if config.config_file.type_signal == "Inference":
        return
    model = config.config_file.model_signal
    for layers in lists_of_model(config):
        if not layers.layers:
            sentence = f"expected the layers of the network ({model} needs this list), got none"
            yield Violation(layers.path, "MISSING", sentence)


def other_lists(config: Config) -> Iterator[Violation]:
    """Warns of lists that the kind of model does not use."""
    used = {layers.key for layers in lists_of_model(config)}
    for layers in written_lists(config):
        if layers.key not in used:
            model = config.config_file.model_signal
            yield Violation(layers.path, "NOT_USED", f"is not used when model_signal is {model}")


def inputs(config: Config) -> Iterator[Violation]:
    """The first layer is `Input`, and no other is."""
    for layers in written_lists(config):
        for item, kind in enumerate(layers.kinds):
            if item == 0 and kind not in (None, "input"):
                got = format_layer(layers.layers[item])
                sentence = f"expected Input as the first layer, got '{got}'"
                yield Violation(layers.place(item), "INPUT_NOT_FIRST", sentence)
            elif item and kind == "input":
                sentence = f"expected Input as the first layer only, got it again as item {item}"
                yield Violation(layers.place(item), "INPUT_NOT_FIRST", sentence)


def ranks(config: Config) -> Iterator[Violation]:
    """Layers meet tensors with the space axes they need; only a list's first misfit is told."""
    for layers in written_lists(config):
        yield from _first_misfit(layers)


def permutations(config: Config) -> Iterator[Violation]:
    """`Permute` names every axis of its tensor once."""
    for layers in written_lists(config):
        for item, tensor in _items(config, layers, "permute"):
            dims = tuple(layers.settings(item).dims)
            start = 0 if 0 in dims else 1
            axes = len(dims) if tensor.axes is None else tensor.axes + 1
            expected = tuple(range(start, start + axes))
            if tuple(sorted(dims)) != expected:
                sentence = f"expected each of {expected} once, got {dims}"
                yield Violation(f"{layers.place(item)}.dims", "NOT_A_PERMUTATION", sentence)


def zero_based_permutations(config: Config) -> Iterator[Violation]:
    """Warns of axes that are counted from 0, as in the manual's example."""
    for layers in written_lists(config):
        for item, _ in _items(config, layers, "permute"):
            dims = tuple(layers.settings(item).dims)
            if 0 in dims:
                meant = tuple(axis + 1 for axis in dims)
                sentence = f"{dims} is read as {meant}: axes count from 1, the batch axis left out"
                yield Violation(f"{layers.place(item)}.dims", "ZERO_BASED_AXES", sentence)


def dilations(config: Config) -> Iterator[Violation]:
    """No layer is dilated and strided at once; transposed convolutions are dilated in 2D only.

    Differs: DLAE 1.0 ignores the dilation of `Transpose convolution 3D` (L14).
    """
    for layers, item in _with_field(config, "dilation"):
        settings, layer = layers.settings(item), layers.layers[item]
        path, got = f"{layers.place(item)}.dilation", tuple(settings.dilation)
        if max(got, default=1) == 1:
            continue
        if max(settings.stride, default=1) > 1:
            sentence = f"expected 1 because stride is {tuple(settings.stride)}, got {got}"
            yield Violation(path, "CONTRADICTION", sentence)
        elif layers.kinds[item] == "transpose_convolution" and layer.rank == 3:
            sentence = f"expected 1 for Transpose convolution 3D, got {got}"
            yield Violation(path, "CONTRADICTION", sentence)


def averaged_kernels(config: Config) -> Iterator[Violation]:
    """Warns of ImageNet weights for images without three channels."""
    for layers in written_lists(config):
        for item, tensor in _items(config, layers, "backbone"):
            if layers.settings(item).weights == "imagenet" and tensor.channels not in (None, 3):
                sentence = (
                    f"the weights are for 3 channels, the tensor has {tensor.channels}; the first "
                    "kernel starts from their mean (repeat_X_switch would give three channels)"
                )
                yield Violation(f"{layers.place(item)}.weights", "KERNEL_AVERAGED", sentence)


def scaled_inputs(config: Config) -> Iterator[Violation]:
    """Warns of scaling as for intensities of 0 to 255 where images are normalized before."""
    normalization = config.preprocessing.normalization_type
    for layers in written_lists(config):
        for item, _ in _items(config, layers, "backbone"):
            if layers.settings(item).input_scaling and normalization != "none":
                sentence = (
                    f"expects intensities of 0 to 255, but normalization_type {normalization} "
                    "scales them before; 'none' leaves them as they are"
                )
                yield Violation(f"{layers.place(item)}.input_scaling", "RANGE_MISMATCH", sentence)


def _first_misfit(layers: LayerList) -> Iterator[Violation]:
    for item, tensor in enumerate(tensors(layers)):
        if item == len(layers.layers) or layers.kinds[item] is None:
            return
        layer = layers.layers[item]
        needed = _axes_needed(layer, layers.kinds[item])
        if item and needed and tensor.axes not in (None, needed):
            got = f"{tensor.axes} space axes" if tensor.axes else "no space axes"
            sentence = (
                f"expected a tensor with {needed} space axes for '{layer_name(layer)}', "
                f"got one with {got}"
            )
            yield Violation(layers.place(item), "RANK_MISMATCH", sentence)
            return


def _axes_needed(layer: Layer, kind: str | None) -> int:
    return _BACKBONE_AXES if kind == "backbone" else layer.rank


def _items(config: Config, layers: LayerList, kind: str) -> Iterator[tuple[int, Tensor]]:
    """Yields the items of a kind with the tensors they are given."""
    if kind not in layers.kinds:
        return
    given = tensors(layers, joined_images(config, layers))
    for item, (found, tensor) in enumerate(zip(layers.kinds, given, strict=False)):
        if found == kind:
            yield item, tensor


def _with_field(config: Config, field: str) -> Iterator[tuple[LayerList, int]]:
    for layers in written_lists(config):
        for item, kind in enumerate(layers.kinds):
            if kind and field in layers.settings(item).DESCRIPTOR.fields_by_name:
                yield layers, item
