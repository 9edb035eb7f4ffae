"""Images of two files that do not pair, where images and annotations are expected."""

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from dlae_core.data.inspection import Expectation, inspect_pairs
from dlae_core.data.samples import Array
from dlae_core.data.source import SampleFile
from dlae_core.errors import UnusableDataset

_NOTHING = np.zeros((), np.uint8)


class NoAnnotations:
    """In place of a file of annotations: every sample has the same one, a zero.

    Attributes:
        path: Of the images.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, out: Array | None = None) -> Array:
        """Returns the annotation of any sample, uint8 ()."""
        return _NOTHING

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of any annotation."""
        return _NOTHING.shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the element type of any annotation."""
        return _NOTHING.dtype


class UnannotatedFile:
    """Images without annotations, where a pair of files is expected.

    Attributes:
        images: The images.
        annotations: None to speak of.
        names: Names of the samples.
        surplus: Empty.
    """

    def __init__(self, images: SampleFile) -> None:
        self.images = images
        self.annotations = NoAnnotations(images.path)
        self.names = images.names
        self.surplus: tuple[str, ...] = ()


class UnpairedFiles:
    """Images X and images y, whose names mean nothing to each other.

    Attributes:
        images: The images X.
        annotations: The images y.
        names: Names of the images X, sorted by integer value.
        surplus: Empty.
    """

    def __init__(self, images: Path, annotations: Path) -> None:
        """Opens both files.

        Raises:
            UnusableDataset: A file is unusable.
        """
        self.images = SampleFile(images)
        try:
            self.annotations = SampleFile(annotations)
        except UnusableDataset:
            self.images.close()
            raise
        self.names = self.images.names
        self.surplus: tuple[str, ...] = ()

    def close(self) -> None:
        """Closes both files."""
        self.images.close()
        self.annotations.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def inspect_unpaired(files: UnpairedFiles, expected: Expectation) -> list[str]:
    """Returns every problem of both files as a sentence; see `inspect_pairs`."""
    problems: list[str] = []
    for file, shape in (
        (files.images, expected.image_shape),
        (files.annotations, expected.target_shape),
    ):
        # A zero is the first of two classes.
        wanted = replace(expected, image_shape=shape, target_shape=(), classes=2)
        problems += inspect_pairs(UnannotatedFile(file), wanted)
    return problems
