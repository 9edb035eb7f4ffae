"""NumPy files: one array per sample, or one array of all samples."""

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.packing.volume import Volume
from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

SUFFIXES = (".npy", ".npz")
# All that NumPy raises for a file that is damaged; it reads headers with Python's tokenizer.
DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    SyntaxError,
    NotImplementedError,
    zipfile.BadZipFile,
    tokenize.TokenError,
    zlib.error,
)

# Name of a sample inside the file, empty for the only one, and how it is read.
Part = tuple[str, Callable[[], Volume]]


def array_parts(path: Path, stacked: bool) -> Iterator[Part]:
    """Yields the samples of a NumPy file.

    Args:
        path: The file.
        stacked: Whether the first axis of each array numbers samples.

    Raises:
        UnusableDataset: It cannot be read, or holds objects.
    """
    if path.suffix.lower() == ".npy":
        yield from _samples("", partial(_single, path), stacked)
        return
    names = _names(path)
    for name in names:
        yield from _samples("" if len(names) == 1 else name, partial(_member, path, name), stacked)


def _samples(name: str, read: Callable[[], Array], stacked: bool) -> Iterator[Part]:
    if not stacked:
        yield name, lambda: _volume(read())
        return
    array = read()
    if array.ndim < 1:
        raise UnusableDataset(["expected an array with an axis for the samples, got one number"])
    for index in range(len(array)):
        yield f"{name}#{index}", partial(_row, read, index)


def _row(read: Callable[[], Array], index: int) -> Volume:
    return _volume(read()[index])


def _volume(array: Array) -> Volume:
    if array.dtype.kind not in "biuf":
        raise UnusableDataset([f"expected numbers, got {array.dtype}"])
    copied = np.array(array, array.dtype.newbyteorder("="), order="C")
    return Volume(copied, axes=2 if copied.ndim == 2 else None)


def _opened(path: Path) -> Any:
    try:
        # Pickled objects are code; they are not loaded.
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED as error:
        message = "cannot be read as NumPy arrays of numbers; the file is damaged or holds objects"
        raise UnusableDataset([message]) from error


@lru_cache(maxsize=1)
def _single(path: Path) -> Array:
    return np.asanyarray(_opened(path))


def _names(path: Path) -> list[str]:
    archive = _opened(path)
    if isinstance(archive, np.ndarray):
        raise UnusableDataset(["expected an archive of arrays, got one array; name it .npy"])
    with archive:
        return list(archive.files)


# The samples of a stack are asked for one after the other.
@lru_cache(maxsize=1)
def _member(path: Path, name: str) -> Array:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])
    except DAMAGED as error:
        message = f"the array '{name}' cannot be read; the file is damaged or holds objects"
        raise UnusableDataset([message]) from error
