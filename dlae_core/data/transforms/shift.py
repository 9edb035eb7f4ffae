"""Random shifts along rows and columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.matrices import Matrix, translation


@dataclass(frozen=True)
class Shift:
    """Moves an image by U(-largest, largest) along its rows and its columns.

    Attributes:
        height: Largest shift along the rows: below 1 a fraction of the rows, from 1 on pixels.
        width: Largest shift along the columns, likewise.

    Differs: the manual of DLAE 1.0 knows fractions only, its code is as here (A8).
    """

    height: float = 0.0
    width: float = 0.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Shift":
        """Returns the shifts of a resolved configuration."""
        return cls(settings.height_shift, settings.width_shift)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.height > 0 or self.width > 0

    def draw(self, random: np.random.Generator, space: tuple[int, ...]) -> NDArray[np.float64]:
        """Returns the shift along rows and columns in pixels; above 0 the content moves up, left.

        Args:
            random: Source of the draws.
            space: Number of pixels along each axis.
        """
        largest = [
            share * size if share < 1 else share
            for share, size in zip((self.height, self.width), space, strict=False)
        ]
        return np.array(largest) * random.uniform(-1, 1, 2)

    @staticmethod
    def matrix(shift: NDArray[np.float64], rank: int) -> Matrix:
        """Returns the matrix of a drawn shift."""
        offset = np.zeros(rank)
        offset[:2] = shift
        return translation(offset)
