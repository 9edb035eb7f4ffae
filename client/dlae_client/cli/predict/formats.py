"""Files of images, and predictions written in the format of their file."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dlae_client.cli.predict.places import HDF5, NIFTI, NUMPY, ZIPPED, Place
from dlae_core.data.source import SampleFile, write_samples

Array = NDArray[Any]
Named = Iterable[tuple[str, Array]]


class Images(Protocol):
    """A file of images."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the images."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of an image."""

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the type of its elements."""

    def read(self, name: str) -> Array:
        """Returns an image, (*space[, channels])."""

    def write(self, path: Path, outputs: Named) -> Path:
        """Writes the outputs of all images, in their order; returns the file that holds them.

        Where a format cannot hold such outputs, the file is another one.
        """


class Hdf5Images(SampleFile):
    """One dataset per image."""

    def write(self, path: Path, outputs: Named) -> Path:
        """Writes one dataset per image, under its name."""
        write_samples(path, outputs)
        return path


def opened(place: Place, shape: Sequence[int]) -> Images:
    """Opens a file of images.

    Args:
        place: The file.
        shape: Of one image that the model takes, (*space, channels).

    Raises:
        UnusableDataset: It cannot be used.
    """
    from dlae_client.cli.predict import arrays, nifti  # noqa: PLC0415 - they know this module

    if place.format == HDF5:
        return Hdf5Images(place.source)
    kinds: dict[str, Callable[[Path, Sequence[int]], Images]] = {
        NUMPY: arrays.ArrayFile,
        ZIPPED: arrays.ArrayArchive,
        NIFTI: nifti.NiftiImages,
    }
    return kinds[place.format](place.source, shape)
