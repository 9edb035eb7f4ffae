"""What reading samples needs of files."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Samples(Protocol):
    """What reading samples needs of a file; see `SampleFile`."""

    path: Path

    def read(self, name: str, out: Array | None = None) -> Array:
        """Returns a sample as it is stored."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a sample without reading it."""

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the element type of a sample without reading it."""


class Pairs(Protocol):
    """What reading samples needs of images and annotations; see `PairedFiles`."""

    @property
    def images(self) -> Samples:
        """The images."""

    @property
    def annotations(self) -> Samples:
        """The annotations."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
