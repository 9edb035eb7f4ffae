"""Random flips along rows and columns."""

from dataclasses import dataclass

import numpy as np

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.source import Array


@dataclass(frozen=True)
class Flip:
    """Flips left to right and upside down, each with probability 0.5 where it is switched on."""

    horizontal: bool
    vertical: bool

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Flip":
        """Returns the flips of a resolved configuration."""
        on = settings.apply_augmentation_switch
        return cls(on and settings.horizontal_flip_switch, on and settings.vertical_flip_switch)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.horizontal or self.vertical

    def draw(self, random: np.random.Generator) -> tuple[int, ...]:
        """Returns the axes to reverse: 0 rows (vertical), 1 columns (horizontal)."""
        vertical, horizontal = random.random(2) < 0.5
        axes = ((0, self.vertical and vertical), (1, self.horizontal and horizontal))
        return tuple(axis for axis, chosen in axes if chosen)

    @staticmethod
    def apply(array: Array, axes: tuple[int, ...]) -> Array:
        """Returns an array (rows, cols, ...) reversed along the drawn axes."""
        return np.flip(array, axes) if axes else array
