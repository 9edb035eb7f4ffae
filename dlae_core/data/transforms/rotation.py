"""Random rotations about the centre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.transforms.matrices import Matrix, linear

ALL_AXES = "all"


@dataclass(frozen=True)
class Rotation:
    """Turns by an angle from U(-range, range): in the plane, or about every axis of a volume.

    Attributes:
        degrees: Largest angle to either side.
        all_axes: Whether volumes also turn about their rows and columns.
        voxel_size: Length of a voxel along rows, columns and slices, any one unit. A volume whose
            slices lie further apart than its pixels is turned as the body it shows.
    """

    degrees: float = 0.0
    all_axes: bool = False
    voxel_size: tuple[float, ...] = (1.0, 1.0, 1.0)

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Rotation":
        """Returns the rotations of a resolved configuration."""
        all_axes = settings.rotation_axes == ALL_AXES
        return cls(settings.rotation_range, all_axes, tuple(settings.voxel_size))

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        return self.degrees > 0

    def draw(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Returns the angles in radians: in the plane, about the columns, about the rows."""
        angles: NDArray[np.float64] = np.deg2rad(self.degrees) * random.uniform(-1, 1, 3)
        return angles

    def matrix(self, angles: NDArray[np.float64], rank: int) -> Matrix:
        """Returns the matrix of drawn angles, about the origin."""
        in_plane = linear(rank, _turn(angles[0], 2, 0, 1))
        if rank == 2 or not self.all_axes:
            return in_plane
        block = in_plane[:3, :3] @ _turn(angles[1], 3, 0, 2) @ _turn(angles[2], 3, 1, 2)
        lengths = np.array(self.voxel_size)
        return linear(rank, block / lengths[:, np.newaxis] * lengths)


def _turn(angle: float, size: int, first: int, second: int) -> Matrix:
    """Returns the rotation from one axis towards another."""
    block = np.eye(size)
    cosine, sine = np.cos(angle), np.sin(angle)
    block[[first, second], [first, second]] = cosine
    block[first, second], block[second, first] = -sine, sine
    return block
