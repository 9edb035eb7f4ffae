"""Rules about augmentation: what its settings need of each other and of the targets."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import lists_of_model, tensors
from dlae_core.config.loss_kinds import REGRESSION_LOSSES
from dlae_core.errors import Violation

SWITCH = "augmentation.apply_augmentation_switch"
ANNOTATION_TYPE = "preprocessing.annotation_type"
RANGES = (
    "brightness_range",
    "bbd_translation_range",
    "bbd_zoom_in_range",
    "bbd_zoom_out_range",
)
GEOMETRY = ("rotation_range", "width_shift", "height_shift", "shear_range", "zoom_range")
FLIPS = ("horizontal_flip_switch", "vertical_flip_switch")


def ends_of_ranges(config: Config) -> Iterator[Violation]:
    """The lower end of a range comes first."""
    for key in RANGES:
        ends = getattr(config.augmentation, key)
        if len(ends) == 2 and ends[0] > ends[1]:
            sentence = f"expected the lower end first, got ({ends[0]:g}, {ends[1]:g})"
            yield Violation(f"augmentation.{key}", "CONTRADICTION", sentence)


def whole_points(config: Config) -> Iterator[Violation]:
    """Coordinates are points of as many numbers as an image has axes."""
    if config.preprocessing.annotation_type != "coordinates" or not _is_vector_regression(config):
        return
    layers = lists_of_model(config)[0]
    axes = len(layers.input_shape) - 1
    *_, output = tensors(layers)
    if axes > 0 and output.channels is not None and output.channels % axes:
        sentence = (
            f"expected an output of {axes} numbers per point because annotation_type is "
            f"coordinates, got {output.channels}"
        )
        yield Violation(ANNOTATION_TYPE, "OUTPUT_SHAPE", sentence)


def unmoved_values(config: Config) -> Iterator[Violation]:
    """Warns of a regression of whole images whose numbers may be places in the image.

    Differs: DLAE 1.0 moves the image and leaves coordinates where they were (A6).
    """
    settings = config.augmentation
    moves = any(getattr(settings, key) for key in (*GEOMETRY, *FLIPS))
    chosen = config.preprocessing.HasField("annotation_type")
    if (
        settings.apply_augmentation_switch
        and moves
        and not chosen
        and _is_vector_regression(config)
    ):
        sentence = (
            "images move and their annotations do not; set it to coordinates if they are places "
            "in the image, else to values"
        )
        yield Violation(ANNOTATION_TYPE, "NOT_SET", sentence)


def undone_brightness(config: Config) -> Iterator[Violation]:
    """Warns of a brightness that a later normalization undoes."""
    kind, settings = config.preprocessing.normalization_type, config.augmentation
    undone = kind.startswith("samplewise_") or settings.samplewise_normalization_switch
    if settings.apply_augmentation_switch and settings.brightness_range and undone:
        sentence = "has no effect because each image is rescaled by its own intensities after"
        yield Violation("augmentation.brightness_range", "NO_EFFECT", sentence)


def _is_vector_regression(config: Config) -> bool:
    model, loss = config.config_file.model_signal, config.loss_function.loss
    return model == "CNN" and loss in REGRESSION_LOSSES
