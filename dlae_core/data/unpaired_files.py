"""Images of two files that do not pair, where images and annotations are expected."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.inspection import Expectation, inspect_pairs
from dlae_core.data.samples import Array
from dlae_core.data.source import SampleFile, TwoFiles

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


class UnpairedFiles(TwoFiles):
    """Images X and images y, whose names mean nothing to each other."""


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
