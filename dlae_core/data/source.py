"""Samples on disk: HDF5 files with one dataset per sample, named by an integer.

The layout is that of DLAE 1.0: images in one file, annotations in another, equal names pair.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from dlae_core.errors import StorageFailed, UnusableDataset

Array = NDArray[Any]

SHOWN = 20


class SampleFile:
    """An HDF5 file of samples, opened for reading.

    Attributes:
        path: The file.
        names: Names of the samples, sorted by integer value.
    """

    def __init__(self, path: Path) -> None:
        """Opens a file.

        Raises:
            UnusableDataset: It is missing, no HDF5 file, truncated, empty, or holds something
                other than datasets named by integers.
        """
        self.path = path
        if not path.is_file():
            raise UnusableDataset([f"{path.name}: expected an HDF5 file, found no file"])
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise UnusableDataset([f"{path.name}: {_unreadable(error)}"]) from error
        try:
            self.names: tuple[str, ...] = tuple(sorted(self._checked_names(), key=int))
        except UnusableDataset:
            self._file.close()
            raise

    def read(self, name: str) -> Array:
        """Returns a sample as it is stored.

        Raises:
            UnusableDataset: The data cannot be read.
        """
        try:
            return np.asarray(self._file[name][()])
        except (OSError, RuntimeError, KeyError) as error:
            message = f"{self.path.name}: dataset '{name}' cannot be read; the file is damaged"
            raise UnusableDataset([message]) from error

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a sample without reading it."""
        return tuple(self._file[name].shape)

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the element type of a sample without reading it."""
        dtype: np.dtype[Any] = self._file[name].dtype
        return dtype

    def close(self) -> None:
        """Closes the file."""
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

    def _checked_names(self) -> list[str]:
        try:
            classes = {name: self._file.get(name, getclass=True) for name in self._file}
        except (OSError, RuntimeError, KeyError) as error:
            raise UnusableDataset([f"{self.path.name}: {_unreadable(error)}"]) from error
        if not classes:
            raise UnusableDataset([f"{self.path.name}: expected at least one sample, found none"])
        problems = [
            f"{self.path.name}: '{name}': {problem}"
            for name, kind in classes.items()
            if (problem := _name_problem(name, kind))
        ]
        if problems:
            raise UnusableDataset(first_of(problems))
        return list(classes)


class PairedFiles:
    """Images and their annotations, paired by name.

    Attributes:
        images: The images.
        annotations: The annotations.
        names: Names of the samples, sorted by integer value.
        surplus: Names that only the annotations have; they are not used.
    """

    def __init__(self, images: Path, annotations: Path) -> None:
        """Opens both files.

        Raises:
            UnusableDataset: A file is unusable, or an image has no annotation.
        """
        self.images = SampleFile(images)
        try:
            self.annotations = SampleFile(annotations)
            annotated = set(self.annotations.names)
            alone = [name for name in self.images.names if name not in annotated]
            if alone:
                self.annotations.close()
                raise UnusableDataset([_unpaired(self.images, self.annotations, alone)])
        except UnusableDataset:
            self.images.close()
            raise
        self.names = self.images.names
        self.surplus = tuple(sorted(annotated - set(self.names), key=int))

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


def write_samples(path: Path, samples: Iterable[tuple[str, Array]]) -> int:
    """Writes samples as a new file that appears whole or not at all.

    Args:
        path: The file; an old one is replaced at the end.
        samples: Names, as integers in decimal digits, and arrays; taken one by one.

    Returns:
        The number of samples.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    temporary = path.with_name(f".{path.name}.writing")
    count = 0
    try:
        with h5py.File(temporary, "w") as file:
            for name, array in samples:
                file.create_dataset(name, data=array)
                count += 1
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageFailed(f"cannot write {path}: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)
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


def _name_problem(name: str, kind: type) -> str:
    if kind is not h5py.Dataset:
        return "expected a dataset, found a group"
    # int() also takes signs, blanks and underscores, which would make one number of two names.
    if not (name.isascii() and name.isdigit()):
        return "expected a name that is an integer, such as '0'"
    return ""


def _unreadable(error: BaseException) -> str:
    if "truncated" in str(error):
        return "the file is truncated; copy or write it again"
    return "expected an HDF5 file, found something else or a damaged one"
