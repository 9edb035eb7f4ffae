"""Random zoom along rows and columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.matrices import Matrix, linear


@dataclass(frozen=True)
class Zoom:
    """Shrinks rows and columns by factors of their own from U(1 - share, 1 + share).

    A factor above 1 shrinks the content, as in DLAE 1.0: it takes output to input positions.
    """

    share: float = 0.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Zoom":
        """Returns the zoom of a resolved configuration."""
        return cls(settings.zoom_range)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.share > 0

    def draw(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Returns the factors of rows and columns."""
        return 1 + self.share * random.uniform(-1, 1, 2)

    @staticmethod
    def matrix(factors: NDArray[np.float64], rank: int) -> Matrix:
        """Returns the matrix of drawn factors, about the origin."""
        return linear(rank, np.diag(factors))
