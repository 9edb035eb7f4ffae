"""How long pixels are, as far as files tell."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlae_core.data.source import SampleFile

# The attribute that `dlae-client data pack` writes.
SPACING = "spacing_mm"

Lengths = tuple[float, ...]


def spacing_of(file: SampleFile, name: str) -> Lengths:
    """Returns the length of a pixel along each axis of a sample, in mm; empty where unknown.

    Raises:
        UnusableDataset: The attribute cannot be read.
    """
    return _lengths(file.attribute(name, SPACING))


def common_spacing(file: SampleFile, names: Sequence[str], axes: int) -> Lengths | None:
    """Returns the length of a pixel along each axis, in mm, where all samples have the same.

    Args:
        file: Of the images.
        names: Of the samples.
        axes: Space axes of an image.

    Raises:
        UnusableDataset: An attribute cannot be read.
    """
    first = spacing_of(file, names[0])
    if len(first) != axes or any(spacing_of(file, name) != first for name in names[1:]):
        return None
    return first


def _lengths(value: Any) -> Lengths:
    numbers = np.asarray([] if value is None else value)
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1:
        return ()
    known = np.isfinite(numbers).all() and (numbers > 0).all()
    return tuple(map(float, numbers)) if known else ()
