"""Samples on disk: HDF5 files with one dataset per sample, named by an integer.

The layout is that of DLAE 1.0: images in one file, annotations in another, equal names pair.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.hdf5 import DAMAGED, LOCK, attribute, open_hdf5, open_sample, unreadable
from dlae_core.data.reading import Arrays
from dlae_core.data.writing import Attributes, NamedArray, write_hdf5
from dlae_core.errors import StorageFailed, UnusableDataset

Array = NDArray[Any]

SHOWN = 20


class SampleFile:
    """An HDF5 file of samples, opened for reading, in any number of threads.

    Attributes:
        path: The file.
        names: Names of the samples, sorted by integer value.
    """

    def __init__(self, path: Path) -> None:
        """Opens a file.

        Raises:
            UnusableDataset: It is missing, no HDF5 file, truncated, empty, or holds something
                other than datasets named by integers, each with its own values in this file.
        """
        self.path = path
        if not _is_file(path):
            raise UnusableDataset([f"{path.name}: expected an HDF5 file, found no file"])
        try:
            self._file = open_hdf5(path)
            self._arrays = Arrays(self._file)
        except DAMAGED as error:
            raise UnusableDataset([f"{path.name}: {unreadable(error)}"]) from error
        try:
            self.names: tuple[str, ...] = tuple(sorted(self._checked_names(), key=int))
        except DAMAGED as error:
            self.close()
            raise UnusableDataset([f"{path.name}: {unreadable(error)}"]) from error
        except UnusableDataset:
            self.close()
            raise

    def read(self, name: str, out: Array | None = None) -> Array:
        """Returns a sample as it is stored.

        Args:
            name: Name of the sample.
            out: Array to fill and return where it has the sample's shape and type, in C order.

        Raises:
            UnusableDataset: The data cannot be read.
        """
        try:
            return self._arrays.read(name, out)
        except DAMAGED as error:
            raise self._damaged(name) from error

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a sample without reading it.

        Raises:
            UnusableDataset: It cannot be known.
        """
        try:
            return self._arrays.form(name).shape
        except DAMAGED as error:
            raise self._damaged(name) from error

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the element type of a sample without reading it.

        Raises:
            UnusableDataset: It cannot be known.
        """
        try:
            return self._arrays.form(name).dtype
        except DAMAGED as error:
            raise self._damaged(name) from error

    def attribute(self, name: str, key: str) -> Any:
        """Returns an attribute of a sample, None where it has none of this name.

        Raises:
            UnusableDataset: It cannot be read.
        """
        try:
            with LOCK:
                return attribute(self._file[name], key)
        except DAMAGED as error:
            raise self._damaged(name) from error

    def close(self) -> None:
        """Closes the file."""
        self._arrays.close()
        with LOCK:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _damaged(self, name: str) -> UnusableDataset:
        message = f"{self.path.name}: dataset '{name}' cannot be read; the file is damaged"
        return UnusableDataset([message])

    def _checked_names(self) -> list[str]:
        names: list[str] = []
        found: list[str] = []
        with LOCK:
            for name in self._file:
                names.append(name)
                problem = self._examined(name)
                if problem:
                    found.append(f"{self.path.name}: '{name[:80]}': {problem}")
        if not names:
            raise UnusableDataset([f"{self.path.name}: expected at least one sample, found none"])
        if not found:
            found = self._repeated(names)
        if found:
            raise UnusableDataset(first_of(found))
        return names

    def _examined(self, name: str) -> str:
        """Returns what is wrong with an entry; notes where the values of a sample lie."""
        dataset = open_sample(self._file, name)
        if isinstance(dataset, str):
            return dataset
        self._arrays.note(name, dataset)
        return ""

    def _repeated(self, names: list[str]) -> list[str]:
        counts = Counter(int(name) for name in names)
        return [
            f"{self.path.name}: expected one dataset for each number, found {count} for {number}"
            for number, count in counts.items()
            if count > 1
        ]


class TwoFiles:
    """A file of images and a file of annotations, opened together.

    Attributes:
        images: The images.
        annotations: The annotations.
        names: Names of the images, sorted by integer value.
        surplus: Names that only the annotations have; they are not used.
    """

    surplus: tuple[str, ...] = ()

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


class PairedFiles(TwoFiles):
    """Images and their annotations, paired by name."""

    def __init__(self, images: Path, annotations: Path) -> None:
        """Opens both files.

        Raises:
            UnusableDataset: A file is unusable, or an image has no annotation.
        """
        super().__init__(images, annotations)
        annotated = set(self.annotations.names)
        alone = [name for name in self.names if name not in annotated]
        if alone:
            self.close()
            raise UnusableDataset([_unpaired(self.images, self.annotations, alone)])
        self.surplus = tuple(sorted(annotated - set(self.names), key=int))


def write_samples(
    path: Path,
    samples: Iterable[NamedArray],
    attributes: Attributes | None = None,
    gzip: int = 0,
) -> int:
    """Writes samples as a new file that appears whole or not at all.

    Args:
        path: The file; an old one is replaced at the end.
        samples: Names, as integers in decimal digits, arrays and, where there are any, attributes;
            taken one by one.
        attributes: Of the whole file.
        gzip: Level of compression, 1 to 9; 0: none.

    Returns:
        The number of samples.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            count = write_hdf5(file, samples, attributes, gzip)
            file.flush()
            os.fchmod(descriptor, 0o666 & ~_umask())
            os.fsync(descriptor)
        os.replace(name, path)
    except (OSError, RuntimeError) as error:
        raise _unwritten(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    return count


def first_of(problems: Sequence[str]) -> list[str]:
    """Returns the first twenty problems and how many more there are."""
    shown = list(problems[:SHOWN])
    if len(problems) > SHOWN:
        shown.append(f"and {len(problems) - SHOWN} more of this kind")
    return shown


def _unpaired(images: SampleFile, annotations: SampleFile, alone: Sequence[str]) -> str:
    names = ", ".join(alone[:SHOWN]) + (", ..." if len(alone) > SHOWN else "")
    return (
        f"{images.path.name} and {annotations.path.name} do not pair: {len(alone)} of "
        f"{len(images.names)} images have no annotation of the same name ({names})"
    )


def _unwritten(path: Path, error: Exception) -> StorageFailed:
    reason = getattr(error, "strerror", None) or str(error)
    return StorageFailed(f"cannot write {path}: {reason}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
