"""Random brightness."""

from dataclasses import dataclass

import numpy as np

from dlae.v1.config_pb2 import Augmentation


@dataclass(frozen=True)
class Brightness:
    """Multiplies the stored intensities of an image by one factor from U(low, high).

    Differs: DLAE 1.0 ignored the setting, and changed every slice of a volume to 8 bits by a
    fixed range instead (A4, A5).
    """

    low: float = 1.0
    high: float = 1.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Brightness":
        """Returns the brightness of a resolved configuration."""
        return cls(*settings.brightness_range)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return (self.low, self.high) != (1.0, 1.0)

    def draw(self, random: np.random.Generator) -> float:
        """Returns the factor."""
        return self.low + (self.high - self.low) * random.random()
