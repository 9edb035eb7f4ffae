"""Random flips along rows and columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.matrices import Matrix, linear


@dataclass(frozen=True)
class Flip:
    """Flips upside down and left to right, each with probability 0.5 where it is switched on."""

    vertical: bool = False
    horizontal: bool = False

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Flip":
        """Returns the flips of a resolved configuration."""
        return cls(settings.vertical_flip_switch, settings.horizontal_flip_switch)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.horizontal or self.vertical

    def draw(self, random: np.random.Generator) -> NDArray[np.bool_]:
        """Returns whether rows (vertical) and columns (horizontal) are reversed."""
        chosen: NDArray[np.bool_] = random.random(2) < 0.5
        return chosen & (self.vertical, self.horizontal)

    @staticmethod
    def matrix(reversed_axes: NDArray[np.bool_], rank: int) -> Matrix:
        """Returns the matrix of drawn flips, about the origin."""
        return linear(rank, np.diag(np.where(reversed_axes, -1.0, 1.0)))
