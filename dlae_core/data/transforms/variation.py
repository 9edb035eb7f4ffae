"""All that varies at random between two passes over the same sample."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.brightness import Brightness
from dlae_core.data.transforms.channel_shift import ChannelShift
from dlae_core.data.transforms.geometry import Geometry
from dlae_core.data.transforms.matrices import Matrix

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Draw:
    """What was drawn for one sample.

    Attributes:
        matrix: From output to input positions, (rank + 1, rank + 1), in pixels.
        factor: Brightness.
        offsets: Of every channel, float32 (channels,).
    """

    matrix: Matrix
    factor: float
    offsets: Float32


@dataclass(frozen=True)
class Variation:
    """Geometry and intensities of training samples.

    Attributes:
        geometry: What moves pixels; images and annotations alike.
        brightness: Factor of the intensities; images only.
        channel_shift: Offsets of the intensities; images only.
    """

    geometry: Geometry = field(default_factory=Geometry)
    brightness: Brightness = field(default_factory=Brightness)
    channel_shift: ChannelShift = field(default_factory=ChannelShift)

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Variation":
        """Returns the variation of a resolved configuration; none unless it is switched on."""
        if not settings.apply_augmentation_switch:
            return cls()
        return cls(
            Geometry.from_config(settings),
            Brightness.from_config(settings),
            ChannelShift.from_config(settings),
        )

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.geometry.acts or self.brightness.acts or self.channel_shift.acts

    def draw(self, random: np.random.Generator, shape: tuple[int, ...]) -> Draw:
        """Returns the draws for one sample.

        All numbers are drawn, in the order of `Draw`, whether or not they are used: switching one
        transform on changes no other.

        Args:
            random: Source of the draws.
            shape: Of the image as stored, (*space, channels).
        """
        return Draw(
            self.geometry.draw(random, shape[:-1]),
            self.brightness.draw(random),
            self.channel_shift.draw(random, shape[-1]),
        )

    def intensities(self, image: Float32, draw: Draw) -> Float32:
        """Returns a stored image (*space, channels) with other intensities."""
        if self.brightness.acts:
            image = image * np.float32(draw.factor)
        return image + draw.offsets if self.channel_shift.acts else image
