"""The checkpoints from which an interrupted training goes on, the newest two of them."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlae_core.checkpoints.archive import Archive, read_archive, write_archive
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, StorageFailed

SUFFIX = ".dlae"
KEPT = 2
# Writing checkpoints takes at most this share of the time of a training.
LARGEST_SHARE = 0.05


@dataclass(frozen=True, order=True)
class Position:
    """How far a training is.

    Attributes:
        epoch: Epochs done.
        step: Steps done in the epoch after them.
        steps: Steps done in the whole training.
        samples: Samples seen in the whole training.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    samples: int = 0


class Recovery:
    """Writes checkpoints into a folder, and finds the newest one that is whole.

    A checkpoint is due at the end of an epoch, and within an epoch after a period; sooner than
    twenty times as long as writing the last one took it is not.

    Attributes:
        seconds: How long writing the last one took.
    """

    def __init__(
        self, folder: Path, period: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepares a folder.

        Args:
            folder: Only for these checkpoints.
            period: Seconds between checkpoints within an epoch; 0: none there.
            clock: Tells the time.

        Raises:
            StorageFailed: The folder cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"cannot make {folder.name}: {error.strerror}") from error
        self._folder = folder
        self._period = period
        self._clock = clock
        self._last = clock()
        self.seconds = 0.0

    def is_due(self, within_epoch: bool) -> bool:
        """Returns whether to write a checkpoint now."""
        if within_epoch and not self._period:
            return False
        passed = self._clock() - self._last
        return passed >= max(self._period * within_epoch, self.seconds / LARGEST_SHARE)

    def write(self, position: Position, archive: Archive) -> None:
        """Writes a checkpoint, and removes all but the newest two.

        Raises:
            StorageFailed: The disk is full or cannot be written; those before are still there.
        """
        start = self._clock()
        try:
            write_archive(self._folder / _name(position), archive)
        finally:
            self._last = self._clock()
            self.seconds = self._last - start
        for path in self.files()[KEPT:]:
            _remove(path)

    def newest(self) -> tuple[Archive | None, list[str]]:
        """Returns the newest checkpoint that is whole, if any, and the names of newer ones.

        Those, which are damaged, are removed.
        """
        damaged: list[str] = []
        for path in self.files():
            try:
                return read_archive(path), damaged
            except (CorruptArtifact, IncompatibleArtifact):
                damaged.append(path.name)
                _remove(path)
        return None, damaged

    def files(self) -> list[Path]:
        """Returns the files of the checkpoints, the newest first."""
        return sorted(self._folder.glob(f"*{SUFFIX}"), reverse=True)

    def clear(self) -> None:
        """Removes all checkpoints."""
        for path in self.files():
            _remove(path)


def _name(position: Position) -> str:
    """Returns a name that sorts by how far training is."""
    return f"{position.epoch:09d}-{position.step:012d}{SUFFIX}"


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
