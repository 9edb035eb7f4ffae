"""What a configuration expects of its data, seen without building the network."""

import math

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import lists_of_model, tensors
from dlae_core.config.loss_kinds import ONE_HOT_LOSSES, SPARSE_LOSS
from dlae_core.data.inspection import Expectation

Shape = tuple[int, ...]

_PER_PIXEL = ("FCN", "GAN")


def expectation_from_config(config: Config, annotation: Shape) -> Expectation:
    """Returns what the data files of a complete and checked configuration must hold.

    Args:
        config: The configuration.
        annotation: Shape of the first annotation. It says how many values the network gives where
            its layers do not show that; then only that all samples agree can be checked.
    """
    image = stored_image_shape(config)
    if config.config_file.model_signal == "BBD":
        return Expectation(image, (), config.bbd_options.number_classes, boxes=True)
    space = image[:-1] if config.config_file.model_signal in _PER_PIXEL else ()
    loss, outputs = config.loss_function.loss, _outputs(config)
    if loss in ONE_HOT_LOSSES:
        return Expectation(image, space, config.preprocessing.categories)
    if loss == SPARSE_LOSS:
        return Expectation(image, space, outputs or config.preprocessing.categories)
    return Expectation(image, (*space, outputs or _values(annotation, space)), 0)


def stored_image_shape(config: Config) -> Shape:
    """Returns the shape of one image as it is stored, before channels are repeated."""
    shape = lists_of_model(config)[0].input_shape
    settings = config.preprocessing
    if not settings.repeat_x_switch:
        return shape
    return (*shape[:-1], shape[-1] // settings.repeat_x_quantity)


def _outputs(config: Config) -> int | None:
    """Returns the channels of the output; None where the layers do not show them."""
    *_, output = tensors(lists_of_model(config)[0])
    return output.channels


def _values(annotation: Shape, space: Shape) -> int:
    """Returns how many values an annotation holds, per pixel or in all."""
    if not space:
        return math.prod(annotation)
    return annotation[-1] if len(annotation) == len(space) + 1 else 1
