"""What a session has predicted so far, in files that are whole: where it goes on from."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dlae_core.bundle import write_text
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.errors import StorageFailed, UnusableDataset
from dlae_core.inference.writing import Named

_FINGERPRINT = "fingerprint"


class Parts:
    """Files of consecutive samples in a folder, each named by the number of those before it.

    Attributes:
        done: Number of samples in them.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Opens a folder.

        Args:
            folder: Only for these parts.
            fingerprint: The same for the same session only; parts of others are removed.

        Raises:
            StorageFailed: The folder cannot be written.
        """
        self._folder = folder
        self._starts: list[int] = []
        self.done = 0
        if not self._is_of(fingerprint):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                raise StorageFailed(
                    f"cannot make a folder for predictions: {error.strerror}"
                ) from error
            write_text(folder / _FINGERPRINT, fingerprint)
        while count := self._count(self.done):
            self._starts.append(self.done)
            self.done += count

    def add(self, outputs: Iterable[Named]) -> None:
        """Writes the next part.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        count = write_samples(self._path(self.done), outputs)
        self._starts.append(self.done)
        self.done += count

    def outputs(self) -> Iterator[Named]:
        """Yields name and output of every sample.

        Raises:
            StorageFailed: A part is no longer there.
        """
        for start in self._starts:
            try:
                with SampleFile(self._path(start)) as file:
                    for name in file.names:
                        yield name, file.read(name)
            except UnusableDataset as error:
                raise StorageFailed(f"what was predicted cannot be read again: {error}") from error

    def only(self) -> Path | None:
        """Returns the file of the only part; None where there are several."""
        return self._path(self._starts[0]) if len(self._starts) == 1 else None

    def remove(self) -> None:
        """Removes all parts."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_of(self, fingerprint: str) -> bool:
        try:
            return (self._folder / _FINGERPRINT).read_text(encoding="utf-8") == fingerprint
        except (OSError, UnicodeDecodeError):
            return False

    def _count(self, start: int) -> int:
        """Returns the number of samples in a part, 0 where there is none that is whole."""
        if not self._path(start).is_file():
            return 0
        try:
            with SampleFile(self._path(start)) as file:
                return len(file.names)
        except UnusableDataset:
            return 0

    def _path(self, start: int) -> Path:
        return self._folder / f"{start}.h5"
