"""Rules about shapes that are stated more than once: setting, `Input` layers, backbones."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import (
    DISCRIMINATOR,
    GENERATOR,
    LayerList,
    joined_images,
    layer_list,
    lists_of_model,
    tensors,
    written_lists,
)
from dlae_core.errors import Violation

SHAPE_PATH = "config_file.input_shape"
CONTEXT_PATH = "preprocessing.image_context"

Shape = tuple[int, ...]


def input_shape(config: Config) -> Iterator[Violation]:
    """The configured input shape is that of an `Input` layer."""
    given, built = tuple(config.config_file.input_shape), _input_shapes(config)
    if given and built and not any(given in (shape, shape[:-1]) for shape in built):
        sentence = f"expected {built[0]} as in the Input layer, got {given}; it may be left out"
        yield Violation(SHAPE_PATH, "SHAPE_MISMATCH", sentence)


def other_input_shape(config: Config) -> Iterator[Violation]:
    """Warns of an input shape without channels, or that of a discriminator, as in DLAE 1.0."""
    given, built = tuple(config.config_file.input_shape), _input_shapes(config)
    if not given or not built or given == built[0]:
        return
    if given == built[0][:-1]:
        sentence = f"{given} lacks the channels; {built[0]} of the Input layer is used"
        yield Violation(SHAPE_PATH, "SHAPE_MISMATCH", sentence)
    elif given in built:
        sentence = f"{given} is the discriminator's; {built[0]} of the generator's Input is used"
        yield Violation(SHAPE_PATH, "SHAPE_MISMATCH", sentence)


def image_context(config: Config) -> Iterator[Violation]:
    """The image context states the space axes of the `Input` layer; detectors have two.

    Differs: DLAE 1.0 builds no reader for a detector in 3D, without a message (X9).
    """
    shapes, context = _input_shapes(config), config.preprocessing.image_context
    axes = len(shapes[0]) - 1 if shapes else 0
    if config.config_file.model_signal == "BBD" and "3D" in (context, f"{axes}D"):
        sentence = "expected '2D' and an Input of (rows, cols, channels): detectors are for images"
        yield Violation(CONTEXT_PATH, "RANK_MISMATCH", f"{sentence}, got volumes")
    elif axes > 0 and context != f"{axes}D" and not _is_volume_read_as_slices(config):
        sentence = f"expected '{axes}D' because Input has {axes} space axes, got '{context}'"
        yield Violation(CONTEXT_PATH, "RANK_MISMATCH", sentence)


def volumes_as_slices(config: Config) -> Iterator[Violation]:
    """Warns of a CNN for volumes with context 2D, as in two examples of DLAE 1.0 (C21)."""
    if _is_volume_read_as_slices(config):
        sentence = "the Input layer takes volumes; the images are treated as 3D"
        yield Violation(CONTEXT_PATH, "RANK_MISMATCH", sentence)


def backbone_shapes(config: Config) -> Iterator[Violation]:
    """The shape that a backbone states is that of its tensor, where that can be seen."""
    for layers in written_lists(config):
        joined = joined_images(config, layers)
        single = (layers.input_shape, *joined) if joined else ()
        for item, tensor in enumerate(tensors(layers, joined)):
            if item == len(layers.kinds) or layers.kinds[item] != "backbone" or not tensor.shape:
                continue
            stated = tuple(layers.settings(item).input_shape)
            if stated and stated not in (tensor.shape, *single):
                sentence = f"expected {tensor.shape}, got {stated}; it may be left out"
                yield Violation(f"{layers.place(item)}.input_shape", "SHAPE_MISMATCH", sentence)


def gan_shapes(config: Config) -> Iterator[Violation]:
    """The images of generator and discriminator go together.

    pix2pix concatenates target and source; cycleGAN feeds each network with the other's images.
    """
    if config.config_file.model_signal != "GAN":
        return
    source = layer_list(config, GENERATOR).input_shape
    discriminator = layer_list(config, DISCRIMINATOR)
    target, loss = discriminator.input_shape, config.loss_function.loss
    path = f"{discriminator.place(0)}.shape"
    if not source or not target:
        return
    if loss == "cyclegan" and source != target:
        sentence = f"expected {source} as in the generator's Input, got {target}"
        yield Violation(path, "SHAPE_MISMATCH", sentence)
    elif loss == "pix2pix" and source[:-1] != target[:-1]:
        sentence = f"expected the space {source[:-1]} of the generator's Input, got {target[:-1]}"
        yield Violation(path, "SHAPE_MISMATCH", sentence)


def _input_shapes(config: Config) -> list[Shape]:
    """Returns the shapes of the model's `Input` layers; the first one takes the images."""
    lists: list[LayerList] = lists_of_model(config)
    return [layers.input_shape for layers in lists if layers.input_shape]


def _is_volume_read_as_slices(config: Config) -> bool:
    shapes = _input_shapes(config)
    return (
        config.config_file.model_signal == "CNN"
        and config.preprocessing.image_context == "2D"
        and bool(shapes)
        and len(shapes[0]) == 4
    )
