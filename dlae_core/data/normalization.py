"""Preparation of images: centering, scaling, whitening, normalization; training and serving alike.

The order is: float32 and channel axis; (brightness and channel shift, in training); featurewise
centering and scaling; samplewise centering and scaling; whitening; (geometry, in training);
normalization; repetition of channels.

Differs: DLAE 1.0 repeated channels first, which changes whitened images only, and undid it in the
training of one-channel images (D2). It left centering and scaling out in prediction (D5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation, Config
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.data.source import Array
from dlae_core.data.whitening import whitened

Float32 = NDArray[np.float32]

# Kept small against real intensities, large against rounding: division by a flat image's deviation.
EPSILON = 1e-6

# normalization_type -> range of the result.
RANGES = {"unity": (0.0, 1.0), "negpos": (-1.0, 1.0)}
# Kinds of model whose annotations can be images of values.
_OF_IMAGES = ("FCN", "GAN")


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each channel over the training images; empty: not needed.

    Differs: DLAE 1.0 meant those of single images and failed (D4).
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def of(cls, images: Iterable[Float32]) -> "Statistics":
        """Measures images (*space, channels) in one pass, in float64.

        Reference: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
        """
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for image in images:
            pixels = image.reshape(-1, image.shape[-1]).astype(np.float64)
            more, other = len(pixels), pixels.mean(axis=0)
            difference = other - mean
            total = count + more
            squares = squares + ((pixels - other) ** 2).sum(axis=0)
            squares = squares + difference**2 * (count * more / total)
            mean = mean + difference * (more / total)
            count = total
        deviation = np.sqrt(squares / count)
        return cls(tuple(map(float, mean)), tuple(map(float, deviation)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Statistics":
        """Returns what `to_json` gave."""
        return cls(tuple(values.get("mean", ())), tuple(values.get("deviation", ())))

    def to_json(self) -> dict[str, Any]:
        """Returns the statistics as JSON values."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}


@dataclass(frozen=True)
class Normalization:
    """A linear map of intensities to 0..1 or -1..1.

    Attributes:
        kind: `unity`, `negpos` or `none`.
        low: Intensity that becomes the lower end; None: each array's own minimum.
        high: Intensity that becomes the upper end; None: each array's own maximum.
    """

    kind: str
    low: float | None = None
    high: float | None = None

    def apply(self, array: Float32) -> Float32:
        """Returns the array scaled, float32; values outside `low..high` are not clipped.

        A flat array, and `none`, stay as they are.
        """
        if self.kind == "none" or array.size == 0:
            return array
        low = float(array.min()) if self.low is None else self.low
        high = float(array.max()) if self.high is None else self.high
        if high == low:
            return array
        bottom, top = RANGES[self.kind]
        scaled = array - np.float32(low)
        scaled *= np.float32((top - bottom) / (high - low))
        if bottom:
            scaled += np.float32(bottom)
        return scaled

    @property
    def has_inverse(self) -> bool:
        """Whether `undo` can bring values back: the ends of the range are known and differ."""
        return self.kind != "none" and None not in (self.low, self.high) and self.low != self.high

    def undo(self, array: Float32) -> Float32:
        """Returns what `apply` made the array of, float32; the array itself without an inverse."""
        if not self.has_inverse or self.low is None or self.high is None:
            return array
        bottom, top = RANGES[self.kind]
        scaled = array - np.float32(bottom) if bottom else array
        values: Float32 = scaled * np.float32((self.high - self.low) / (top - bottom))
        return values + np.float32(self.low)


@dataclass(frozen=True)
class Preprocessing:
    """Everything that happens to an image besides augmentation, and to an `_xy` annotation."""

    axes: int
    repeat: int
    switches: Augmentation
    statistics: Statistics
    images: Normalization
    annotations: Normalization

    @classmethod
    def from_config(cls, config: Config, statistics: Statistics) -> "Preprocessing":
        """Returns the preprocessing of a resolved configuration."""
        settings = config.preprocessing
        return cls(
            axes=len(lists_of_model(config)[0].input_shape),
            repeat=settings.repeat_x_quantity if settings.repeat_x_switch else 1,
            switches=config.augmentation,
            statistics=statistics,
            images=_normalization(config, 0),
            annotations=_normalization(config, 1),
        )

    @property
    def needs_statistics(self) -> bool:
        """Whether the training images have to be measured first."""
        switches = self.switches
        return switches.featurewise_centering_switch or switches.featurewise_normalization_switch

    @property
    def is_pointwise(self) -> bool:
        """Whether pixels are prepared each by itself: a part of an image like the whole."""
        switches, images = self.switches, self.images
        samplewise = (
            switches.samplewise_centering_switch or switches.samplewise_normalization_switch
        )
        measured = images.kind != "none" and (images.low is None or images.high is None)
        return not (samplewise or switches.HasField("zca_epsilon") or measured)

    def image(self, image: Array) -> Float32:
        """Returns a stored image as the network takes it, float32 (*space, channels)."""
        return self.finished(self.standardized(self.raw(image)))

    def raw(self, image: Array) -> Float32:
        """Returns an image as float32 with its channel axis: what statistics are taken of."""
        prepared = image.astype(np.float32)
        return prepared[..., np.newaxis] if prepared.ndim == self.axes - 1 else prepared

    def standardized(self, image: Float32) -> Float32:
        """Returns a raw image centered, scaled and whitened: before geometry."""
        switches, statistics = self.switches, self.statistics
        if switches.featurewise_centering_switch:
            image = image - np.asarray(statistics.mean, np.float32)
        if switches.featurewise_normalization_switch:
            image = image / (np.asarray(statistics.deviation, np.float32) + np.float32(EPSILON))
        if switches.samplewise_centering_switch:
            image = image - image.mean(dtype=np.float64).astype(np.float32)
        if switches.samplewise_normalization_switch:
            image = image / (image.std(dtype=np.float64) + EPSILON).astype(np.float32)
        if switches.HasField("zca_epsilon"):
            image = whitened(image, switches.zca_epsilon)
        return image

    def finished(self, image: Float32) -> Float32:
        """Returns a standardized image normalized, channels repeated in place: after geometry."""
        normalized = self.images.apply(image)
        return normalized.repeat(self.repeat, axis=-1) if self.repeat > 1 else normalized

    def annotation(self, annotation: Float32) -> Float32:
        """Returns an annotation of values, normalized where the type ends in `_xy`."""
        return self.annotations.apply(annotation)

    def values(self, output: Float32) -> Float32:
        """Returns a network's values in the units of the annotations, where these are known."""
        return self.annotations.undo(output)


def _normalization(config: Config, which: int) -> Normalization:
    """Returns the normalization of the images (0) or the annotations (1)."""
    settings = config.preprocessing
    scope, _, rest = settings.normalization_type.partition("_")
    kind, _, subjects = rest.partition("_")
    has_images = config.config_file.model_signal in _OF_IMAGES
    if scope == "none" or (which == 1 and not (subjects == "xy" and has_images)):
        return Normalization("none")
    if scope == "samplewise":
        return Normalization(kind)
    lows, highs = settings.minimum_image_intensity, settings.maximum_image_intensity
    return Normalization(kind, lows[min(which, len(lows) - 1)], highs[min(which, len(highs) - 1)])
