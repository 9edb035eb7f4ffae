"""A data folder belongs to one process at a time."""

import fcntl
from pathlib import Path
from typing import IO

from dlae_core.errors import StorageFailed
from dlae_server.errors import CannotStart


def locked(folder: Path) -> IO[str]:
    """Returns the lock of a data folder, held until it is closed.

    Raises:
        CannotStart: Another process has it.
        StorageFailed: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        message = f"cannot write the data folder {folder}: {error.strerror}"
        raise StorageFailed(message) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise CannotStart(f"another dlae-server uses the data folder {folder}") from error
    return lock
