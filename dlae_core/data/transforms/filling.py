"""What stands where an output position has no input pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation

# Name in SciPy's `ndimage` of the same meaning.
SCIPY_MODES = {
    "nearest": "nearest",
    "constant": "grid-constant",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}


@dataclass(frozen=True)
class Filling:
    """Continues an array beyond its borders.

    Attributes:
        mode: `nearest` repeats the last pixel (a a | a b c), `reflect` mirrors at the edge of the
            last pixel (b a | a b c), `wrap` repeats the array (b c | a b c), `constant` puts a
            value there.
        value: Value of `constant`.

    Differs: near a border `constant` mixes the last pixel with the value (SciPy's
    `grid-constant`); DLAE 1.0 had the value from the last pixel's centre on. `wrap` has the
    period of the array (`grid-wrap`); DLAE 1.0's was one pixel short.
    """

    mode: str
    value: float = 0.0

    @classmethod
    def from_config(cls, settings: Augmentation) -> "Filling":
        """Returns the filling of images and of maps of values."""
        return cls(settings.fill_mode, settings.cval)

    def with_background(self) -> "Filling":
        """Returns the filling of label maps: what `constant` fills is class 0."""
        return Filling(self.mode)

    def indices(self, positions: NDArray[np.intp], size: int) -> NDArray[np.intp]:
        """Returns the pixel that stands at each whole position; -1 for the value.

        Args:
            positions: Any shape, any whole numbers.
            size: Number of pixels along the axis.
        """
        if self.mode == "nearest":
            return positions.clip(0, size - 1)
        if self.mode == "wrap":
            return positions % size
        if self.mode == "reflect":
            turned = positions % (2 * size)
            return np.minimum(turned, 2 * size - 1 - turned)
        return np.where((positions >= 0) & (positions < size), positions, -1)
