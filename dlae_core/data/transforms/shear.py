"""Random shear of the columns."""

from dataclasses import dataclass

import numpy as np

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.matrices import Matrix, linear


@dataclass(frozen=True)
class Shear:
    """Leans the columns by an angle from U(-degrees, degrees).

    Differs: the manual of DLAE 1.0 says radians, its code takes degrees as here (A2).
    """

    degrees: float = 0.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Shear":
        """Returns the shear of a resolved configuration."""
        return cls(settings.shear_range)

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.degrees > 0

    def draw(self, random: np.random.Generator) -> float:
        """Returns the angle in radians."""
        return float(np.deg2rad(self.degrees) * random.uniform(-1, 1))

    @staticmethod
    def matrix(angle: float, rank: int) -> Matrix:
        """Returns the matrix of a drawn angle, about the origin."""
        return linear(rank, np.array([[1.0, -np.sin(angle)], [0.0, np.cos(angle)]]))
