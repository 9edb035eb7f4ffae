"""Random geometry of a sample: one matrix of all that moves pixels."""

from dataclasses import dataclass, field

import numpy as np

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.source import Array
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.flip import Flip
from dlae_core.data.transforms.matrices import Matrix, about_centre, identity, product
from dlae_core.data.transforms.resampling import resample
from dlae_core.data.transforms.rotation import Rotation
from dlae_core.data.transforms.shear import Shear
from dlae_core.data.transforms.shift import Shift
from dlae_core.data.transforms.zoom import Zoom


@dataclass(frozen=True)
class Geometry:
    """Rotation, shift, shear, zoom and flips, applied at once.

    With R, T, S, Z and F the matrices of the transforms, R T S Z F takes positions in the output to
    positions in the input, both from the centre, as the matrix product of DLAE 1.0 does.

    Attributes:
        rotation: Turns.
        shift: Moves.
        shear: Leans.
        zoom: Shrinks and enlarges.
        flip: Reverses.
        interpolation: Of images and maps of values; label maps are never interpolated.
        filling: What stands outside an image.
    """

    rotation: Rotation = field(default_factory=Rotation)
    shift: Shift = field(default_factory=Shift)
    shear: Shear = field(default_factory=Shear)
    zoom: Zoom = field(default_factory=Zoom)
    flip: Flip = field(default_factory=Flip)
    interpolation: str = "linear"
    filling: Filling = field(default_factory=lambda: Filling("nearest"))

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Geometry":
        """Returns the geometry of a resolved configuration."""
        return cls(
            Rotation.from_config(settings),
            Shift.from_config(settings),
            Shear.from_config(settings),
            Zoom.from_config(settings),
            Flip.from_config(settings),
            settings.interpolation,
            Filling.from_config(settings),
        )

    @property
    def acts(self) -> bool:
        """Whether anything can change."""
        parts = (self.rotation, self.shift, self.shear, self.zoom, self.flip)
        return any(part.acts for part in parts)

    def draw(self, random: np.random.Generator, space: tuple[int, ...]) -> Matrix:
        """Returns the matrix from output to input positions, (rank + 1, rank + 1), in pixels.

        Args:
            random: Source of the draws; as many are made whatever is switched on.
            space: Number of pixels along each axis.
        """
        rank = len(space)
        matrices = [
            self.rotation.matrix(self.rotation.draw(random), rank),
            self.shift.matrix(self.shift.draw(random, space), rank),
            self.shear.matrix(self.shear.draw(random), rank),
            self.zoom.matrix(self.zoom.draw(random), rank),
            self.flip.matrix(self.flip.draw(random), rank),
        ]
        # Exactly the identity where nothing acts, whatever the centre's rounding would leave.
        return about_centre(product(matrices, rank), space) if self.acts else identity(rank)

    def image(self, array: Array, matrix: Matrix) -> Array:
        """Returns an image or a map of values (*space, channels), moved."""
        return resample(array, matrix, self.interpolation, self.filling)

    def labels(self, array: Array, matrix: Matrix) -> Array:
        """Returns a label map (*space,), moved; outside an image of `constant` it is class 0.

        Differs: DLAE 1.0 interpolated class numbers and set those in between to class 0 (A3).
        """
        channelled = array[..., np.newaxis]
        return resample(channelled, matrix, "nearest", self.filling.with_background())[..., 0]
