"""HDF5 into a file that may stop taking bytes at any moment."""

from collections.abc import Iterable
from typing import IO, Any

import h5py
from numpy.typing import NDArray


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


def write_hdf5(file: IO[bytes], samples: Iterable[tuple[str, NDArray[Any]]]) -> int:
    """Writes samples as the datasets of an HDF5 file; returns their number.

    Args:
        file: Open for reading and writing, empty.
        samples: Names and arrays; taken one by one.

    Raises:
        OSError: The disk is full, or cannot be written.
    """
    sink, count = _Sink(file), 0
    with h5py.File(sink, "w") as target:
        for name, array in samples:
            target.create_dataset(name, data=array)
            sink.check()
            count += 1
    sink.check()
    return count
