"""The folder of a training, used by one process at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlae_core.errors import StorageFailed

# A process that was told to end, or is being killed, may need a moment.
WAIT_SECONDS = 30.0


@contextmanager
def held(workspace: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keeps other processes out of a workspace. A process that dies lets it go.

    Raises:
        StorageFailed: The folder cannot be written, or another process does not let it go.
    """
    deadline = time.monotonic() + wait_seconds
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        file = (workspace / "lock").open("ab")
    except OSError as error:
        raise StorageFailed(f"cannot make the folder of the training: {error.strerror}") from error
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise StorageFailed(
                        "expected a workspace of its own, found another process training in it; "
                        "end that one first"
                    ) from error
                time.sleep(0.05)
        yield
