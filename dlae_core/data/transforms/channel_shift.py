"""Random offsets of channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation


@dataclass(frozen=True)
class ChannelShift:
    """Adds to every stored channel an offset of its own from U(-largest, largest).

    Differs: DLAE 1.0 drew an offset and did not apply it (A4).
    """

    largest: float = 0.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "ChannelShift":
        """Returns the channel shift of a resolved configuration."""
        return cls(settings.channel_shift_range)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.largest > 0

    def draw(self, random: np.random.Generator, channels: int) -> NDArray[np.float32]:
        """Returns one offset per channel, float32 (channels,), in intensities."""
        return (self.largest * random.uniform(-1, 1, channels)).astype(np.float32)
