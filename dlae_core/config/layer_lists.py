"""The layer lists of a configuration, as the rules read them, and what is known of the tensors.

A list that is being read may hold empty messages where a layer could not be read; nothing is known
of what follows one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer

SERIAL, GENERATOR, DISCRIMINATOR = (
    "serial_layer_list",
    "generator_layer_list",
    "discriminator_layer_list",
)
# The lists that a kind of model is made of. The first one's `Input` takes the images.
LISTS_OF_MODELS = {
    "CNN": (SERIAL,),
    "FCN": (SERIAL,),
    "BBD": (SERIAL,),
    "GAN": (GENERATOR, DISCRIMINATOR),
}
BACKBONE_LEVELS = 5
IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class LayerList:
    """One list of layers.

    Attributes:
        key: Name in the section `layers`.
        layers: The layers.
    """

    key: str
    layers: Sequence[Layer]

    @property
    def path(self) -> str:
        """Place of the list in the configuration."""
        return f"layers.{self.key}"

    @cached_property
    def kinds(self) -> tuple[str | None, ...]:
        """Field of the oneof `Layer.type` per item; None where a layer could not be read."""
        return tuple(layer.WhichOneof("type") for layer in self.layers)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape that the first layer takes; empty where it is no `Input`."""
        return tuple(self.layers[0].input.shape) if self.layers else ()

    def settings(self, item: int) -> Any:
        """Returns the message of an item's layer type."""
        return getattr(self.layers[item], self.kinds[item] or "")

    def place(self, item: int) -> str:
        """Returns the place of an item in the configuration."""
        return f"{self.path}[{item}]"


def layer_list(config: Config, key: str) -> LayerList:
    """Returns a list by its name in the section `layers`."""
    return LayerList(key, getattr(config.layers, key))


def written_lists(config: Config) -> list[LayerList]:
    """Returns the lists that hold layers."""
    lists = [layer_list(config, key) for key in (SERIAL, GENERATOR, DISCRIMINATOR)]
    return [layers for layers in lists if layers.layers]


def lists_of_model(config: Config) -> list[LayerList]:
    """Returns the lists that the kind of model is made of, empty or not."""
    keys = LISTS_OF_MODELS.get(config.config_file.model_signal, ())
    return [layer_list(config, key) for key in keys]


def joined_images(config: Config, layers: LayerList) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of images whose channels follow those of the list's `Input`.

    Only the discriminator of pix2pix takes a second image: the generator's.
    """
    if layers.key != DISCRIMINATOR or config.loss_function.loss != "pix2pix":
        return ()
    source = layer_list(config, GENERATOR).input_shape
    return (source,) if source else ()


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor.

    Attributes:
        axes: Number of space axes; None where nothing is known.
        channels: Length of the last axis; None where it is not known.
        shape: Whole shape without the batch axis; None where it is not known.
    """

    axes: int | None = None
    channels: int | None = None
    shape: tuple[int, ...] | None = None

    @classmethod
    def of_shape(cls, shape: Sequence[int]) -> "Tensor":
        """Returns the tensor of a shape without unknown axes."""
        return cls(len(shape) - 1, shape[-1], tuple(shape))

    def with_channels(self, channels: int | None) -> "Tensor":
        """Returns the tensor with another last axis and unknown space."""
        return Tensor(self.axes, channels)


UNKNOWN = Tensor()


def tensors(layers: LayerList, joined: Sequence[Sequence[int]] = ()) -> Iterator[Tensor]:
    """Yields the tensor that each item is given, then the output of the last.

    Args:
        layers: The list.
        joined: Shapes of images whose channels follow those of the list's `Input`.
    """
    tensor = UNKNOWN
    for item, kind in enumerate(layers.kinds):
        yield tensor
        tensor = _AFTER.get(kind, _same)(layers.settings(item), tensor) if kind else UNKNOWN
        if item == 0 and joined and tensor.shape:
            channels = sum(image[-1] for image in joined) + tensor.shape[-1]
            tensor = Tensor.of_shape((*tensor.shape[:-1], channels))
    yield tensor


def _same(settings: Any, tensor: Tensor) -> Tensor:
    return tensor


def _of_input(settings: Any, tensor: Tensor) -> Tensor:
    return Tensor.of_shape(settings.shape) if settings.shape else UNKNOWN


def _reshaped(settings: Any, tensor: Tensor) -> Tensor:
    if -1 in settings.shape:
        return Tensor(len(settings.shape) - 1)
    return Tensor.of_shape(settings.shape)


def _flattened(settings: Any, tensor: Tensor) -> Tensor:
    return Tensor(0)


def _pooled(settings: Any, tensor: Tensor) -> Tensor:
    return Tensor(0, tensor.channels)


def _of_units(settings: Any, tensor: Tensor) -> Tensor:
    shape = None if tensor.shape is None else (*tensor.shape[:-1], settings.units)
    return replace(tensor, channels=settings.units, shape=shape)


def _of_filters(settings: Any, tensor: Tensor) -> Tensor:
    return tensor.with_channels(settings.filters)


def _resized(settings: Any, tensor: Tensor) -> Tensor:
    return tensor.with_channels(tensor.channels)


def _permuted(settings: Any, tensor: Tensor) -> Tensor:
    return tensor.with_channels(None)


def _merged(settings: Any, tensor: Tensor) -> Tensor:
    return tensor.with_channels(None) if settings.skip_type == "concatenate" else tensor


def _of_backbone(settings: Any, tensor: Tensor) -> Tensor:
    return Tensor(0, IMAGENET_CLASSES) if settings.include_top else tensor.with_channels(None)


_AFTER: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    "input": _of_input,
    "reshape": _reshaped,
    "flatten": _flattened,
    "permute": _permuted,
    "dense": _of_units,
    "convolution": _of_filters,
    "resize_convolution": _of_filters,
    "transpose_convolution": _of_filters,
    "separable_convolution": _of_filters,
    "depthwise_separable_convolution": _of_filters,
    "upsample": _resized,
    "zero_padding": _resized,
    "cropping": _resized,
    "max_pooling": _resized,
    "average_pooling": _resized,
    "global_max_pooling": _pooled,
    "global_average_pooling": _pooled,
    "outer_skip_target": _merged,
    "inner_skip_target": _merged,
    "backbone": _of_backbone,
}
