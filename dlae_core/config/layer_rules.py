"""Rules about the serial layer list: what can be seen without building the network.

A list that is being read may hold empty messages where a layer could not be read; the rules say
nothing that such a layer could change.
"""

from collections.abc import Iterator, Sequence

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_text import format_layer, layer_name
from dlae_core.config.loss_kinds import CLASSIFICATION_LOSSES, ONE_HOT_LOSSES
from dlae_core.errors import Violation

PATH = "layers.serial_layer_list"
SHAPE_PATH = "config_file.input_shape"
CONTEXT_PATH = "preprocessing.image_context"

_LISTS_OF_MODELS = {
    "CNN": ("serial_layer_list",),
    "FCN": ("serial_layer_list",),
    "BBD": ("serial_layer_list",),
    "GAN": ("generator_layer_list", "discriminator_layer_list"),
}
_COLLAPSING = ("flatten", "global_max_pooling", "global_average_pooling")
# Layers after which the last axis still has the outputs of the weights before them.
_CHANNEL_KEEPING = (
    "activation",
    "batch_normalization",
    "dropout",
    "leaky_relu",
    "spatial_dropout",
)
_OUTPUT_FIELDS = {
    "dense": "units",
    "convolution": "filters",
    "resize_convolution": "filters",
    "transpose_convolution": "filters",
}


def list_of_model(config: Config) -> Iterator[Violation]:
    """The lists that the kind of model needs hold layers."""
    for key in _LISTS_OF_MODELS.get(config.config_file.model_signal, ()):
        if not getattr(config.layers, key):
            model = config.config_file.model_signal
            sentence = f"expected the layers of the network ({model} needs this list), got none"
            yield Violation(f"layers.{key}", "MISSING", sentence)


def inputs(config: Config) -> Iterator[Violation]:
    """The first layer is `Input`, and no other is."""
    for item, layer in enumerate(config.layers.serial_layer_list):
        kind = layer.WhichOneof("type")
        if item == 0 and kind not in (None, "input"):
            sentence = f"expected Input as the first layer, got '{format_layer(layer)}'"
            yield Violation(f"{PATH}[0]", "INPUT_NOT_FIRST", sentence)
        elif item and kind == "input":
            sentence = f"expected Input as the first layer only, got it again as item {item}"
            yield Violation(f"{PATH}[{item}]", "INPUT_NOT_FIRST", sentence)


def input_shape(config: Config) -> Iterator[Violation]:
    """The configured input shape is that of the `Input` layer."""
    given, built = tuple(config.config_file.input_shape), _input_shape(config)
    if given and built and given != built and given != built[:-1]:
        sentence = f"expected {built} as in the Input layer, got {given}; it may be left out"
        yield Violation(SHAPE_PATH, "SHAPE_MISMATCH", sentence)


def shape_without_channels(config: Config) -> Iterator[Violation]:
    """Warns of an input shape that lacks the channels, as in two examples of DLAE 1.0."""
    given, built = tuple(config.config_file.input_shape), _input_shape(config)
    if given and built and given == built[:-1]:
        sentence = f"{given} lacks the channels; {built} of the Input layer is used"
        yield Violation(SHAPE_PATH, "SHAPE_MISMATCH", sentence)


def image_context(config: Config) -> Iterator[Violation]:
    """The image context states the space axes of the `Input` layer."""
    axes = len(_input_shape(config)) - 1
    context = config.preprocessing.image_context
    if axes > 0 and context != f"{axes}D" and not _is_volume_read_as_slices(config):
        sentence = f"expected '{axes}D' because Input has {axes} space axes, got '{context}'"
        yield Violation(CONTEXT_PATH, "RANK_MISMATCH", sentence)


def volumes_as_slices(config: Config) -> Iterator[Violation]:
    """Warns of a CNN for volumes with context 2D, as in two examples of DLAE 1.0."""
    if _is_volume_read_as_slices(config):
        sentence = "the Input layer takes volumes; the images are treated as 3D"
        yield Violation(CONTEXT_PATH, "RANK_MISMATCH", sentence)


def ranks(config: Config) -> Iterator[Violation]:
    """Layers whose name states a rank meet tensors of that rank; only the first misfit is told."""
    axes = 0
    for item, layer in enumerate(config.layers.serial_layer_list):
        kind = layer.WhichOneof("type")
        if kind is None:
            return
        if layer.rank and layer.rank != axes:
            got = f"{axes} space axes" if axes else "no space axes"
            sentence = (
                f"expected a tensor with {layer.rank} space axes for '{layer_name(layer)}', "
                f"got one with {got}"
            )
            yield Violation(f"{PATH}[{item}]", "RANK_MISMATCH", sentence)
            return
        axes = _axes_after(layer, axes)


def outer_skips(config: Config) -> Iterator[Violation]:
    """Every `Outer skip target` has an open source."""
    sources = 0
    for item, layer in enumerate(config.layers.serial_layer_list):
        kind = layer.WhichOneof("type")
        if kind is None:
            return
        if kind == "outer_skip_source":
            sources += 1
        elif kind == "outer_skip_target" and sources == 0:
            sentence = "expected an Outer skip source before this Outer skip target, got none left"
            yield Violation(f"{PATH}[{item}]", "SKIP_WITHOUT_SOURCE", sentence)
        elif kind == "outer_skip_target":
            sources -= 1


def dilations(config: Config) -> Iterator[Violation]:
    """No layer is dilated and strided at once; transposed convolutions are dilated in 2D only.

    Differs: DLAE 1.0 ignores the dilation of `Transpose convolution 3D`.
    """
    for item, layer in enumerate(config.layers.serial_layer_list):
        kind = layer.WhichOneof("type") or "input"
        message = getattr(layer, kind)
        fields = message.DESCRIPTOR.fields_by_name
        if "dilation" not in fields or max(message.dilation, default=1) == 1:
            continue
        path, got = f"{PATH}[{item}].dilation", tuple(message.dilation)
        if max(message.stride, default=1) > 1:
            sentence = f"expected 1 because stride is {tuple(message.stride)}, got {got}"
            yield Violation(path, "CONTRADICTION", sentence)
        elif kind == "transpose_convolution" and layer.rank == 3:
            sentence = f"expected 1 for Transpose convolution 3D, got {got}"
            yield Violation(path, "CONTRADICTION", sentence)


def class_count(config: Config) -> Iterator[Violation]:
    """The network ends in one output per class, where that can be seen from the list."""
    loss = config.loss_function.loss
    if config.config_file.model_signal not in ("CNN", "FCN") or loss not in CLASSIFICATION_LOSSES:
        return
    last = _last_outputs(config.layers.serial_layer_list)
    if last is None:
        return
    item, key, outputs = last
    path, categories = f"{PATH}[{item}].{key}", config.preprocessing.categories
    if outputs < 2:
        sentence = f"expected at least 2 outputs, one per class, for {loss}, got {outputs}"
        yield Violation(path, "CLASS_COUNT_MISMATCH", sentence)
    elif loss in ONE_HOT_LOSSES and outputs != categories:
        sentence = (
            f"expected {categories} outputs, one per class (preprocessing.categories is "
            f"{categories}), got {outputs}"
        )
        yield Violation(path, "CLASS_COUNT_MISMATCH", sentence)


def _input_shape(config: Config) -> tuple[int, ...]:
    layers = config.layers.serial_layer_list
    return tuple(layers[0].input.shape) if layers else ()


def _is_volume_read_as_slices(config: Config) -> bool:
    return (
        config.config_file.model_signal == "CNN"
        and config.preprocessing.image_context == "2D"
        and len(_input_shape(config)) == 4
    )


def _axes_after(layer: Layer, axes: int) -> int:
    """Returns the number of space axes after a layer that is given `axes` of them."""
    kind = layer.WhichOneof("type")
    if kind == "input":
        return len(layer.input.shape) - 1
    if kind == "reshape":
        return len(layer.reshape.shape) - 1
    return 0 if kind in _COLLAPSING else axes


def _last_outputs(layers: Sequence[Layer]) -> tuple[int, str, int] | None:
    """Returns item, field and number of the outputs of the last layer that has weights."""
    for item in reversed(range(len(layers))):
        kind = layers[item].WhichOneof("type")
        if kind in _OUTPUT_FIELDS:
            key = _OUTPUT_FIELDS[kind]
            return item, key, getattr(getattr(layers[item], kind), key)
        if kind not in _CHANNEL_KEEPING:
            return None
    return None
