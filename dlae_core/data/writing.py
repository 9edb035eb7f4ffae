"""HDF5 into a file that may stop taking bytes at any moment."""

from collections.abc import Iterable, Mapping
from typing import IO, Any

import h5py
from numpy.typing import NDArray

Attributes = Mapping[str, Any]
# Name, array, and what is known of them: texts, numbers, arrays.
NamedArray = tuple[str, NDArray[Any]] | tuple[str, NDArray[Any], Attributes]

_LARGEST_CHUNK = 1 << 30


class _Sink:
    """A file for HDF5 to write to, which remembers a failure instead of reporting it.

    HDF5 does not recover from a write that fails: it can neither close the file nor, at times,
    end the process. So it is told that all is well, and the failure is raised afterwards.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._failure: OSError | None = None
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def write(self, data: Any) -> int:
        """Writes bytes."""
        if self._failure is None:
            try:
                return self._file.write(data)
            except OSError as error:
                self._failure = error
        return len(memoryview(data).cast("B"))

    def truncate(self, size: int) -> int:
        """Sets the length of the file."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._failure = self._failure or error
            return size

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        try:
            self._file.flush()
        except OSError as error:
            self._failure = self._failure or error

    def check(self) -> None:
        """Raises the failure of an earlier write."""
        if self._failure is not None:
            raise self._failure


def write_hdf5(
    file: IO[bytes],
    samples: Iterable[NamedArray],
    attributes: Attributes | None = None,
    gzip: int = 0,
) -> int:
    """Writes samples as the datasets of an HDF5 file; returns their number.

    Args:
        file: Open for reading and writing, empty.
        samples: Names, arrays and, where there are any, attributes; taken one by one.
        attributes: Of the whole file.
        gzip: Level of compression, 1 to 9; 0: none.

    Raises:
        OSError: The disk is full, or cannot be written.
    """
    sink, count = _Sink(file), 0
    with h5py.File(sink, "w") as target:
        target.attrs.update(attributes or {})
        for name, array, *known in samples:
            dataset = target.create_dataset(name, data=array, **_storage(array, gzip))
            for one in known:
                dataset.attrs.update(one)
            sink.check()
            count += 1
    sink.check()
    return count


def write_stacked(
    file: IO[bytes],
    name: str,
    count: int,
    arrays: Iterable[NDArray[Any]],
    beside: Mapping[str, NDArray[Any]],
) -> None:
    """Writes arrays of one shape and type as one dataset, (count, ...), of an HDF5 file.

    Args:
        file: Open for reading and writing, empty.
        name: Of the dataset.
        count: Number of arrays, at least 1.
        arrays: Taken one by one.
        beside: Further datasets.

    Raises:
        OSError: The disk is full, or cannot be written.
    """
    sink = _Sink(file)
    with h5py.File(sink, "w") as target:
        for other, array in beside.items():
            target[other] = array
        dataset = None
        for position, array in enumerate(arrays):
            if dataset is None:
                dataset = target.create_dataset(name, (count, *array.shape), array.dtype)
            dataset[position] = array
            sink.check()
    sink.check()


def _storage(array: NDArray[Any], gzip: int) -> dict[str, Any]:
    """Returns how an array is stored: in one chunk if compressed, as it is read as a whole."""
    if not gzip or array.size == 0 or array.ndim == 0:
        return {}
    # HDF5 allows no chunk of 4 GiB.
    chunk = array.shape if array.nbytes < _LARGEST_CHUNK else True
    return {"chunks": chunk, "shuffle": True, "compression": "gzip", "compression_opts": gzip}
