"""Temporary folders of workers, in the data folder: gone with their process, or soon after.

Each is locked by its process; what nobody has locked was left by one that was killed.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER = "scratch"


def new_scratch(data_dir: Path) -> Path:
    """Returns an empty folder that stays as long as this process; removes what others left.

    Raises:
        OSError: None can be made.
    """
    parent = data_dir / FOLDER
    parent.mkdir(mode=0o700, exist_ok=True)
    sweep(data_dir)
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent))
        # Inherited by nothing but forks; held until the last of them ends.
        with suppress(FileNotFoundError):
            if _locked(folder) is not None:
                return folder


def sweep(data_dir: Path) -> None:
    """Removes the folders of processes that are gone."""
    for folder in (data_dir / FOLDER).glob("*"):
        with suppress(OSError):
            descriptor = _locked(folder)
            if descriptor is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """Returns the descriptor of a folder that was locked now; None where another process has it.

    Raises:
        OSError: The folder is gone.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have swept it before it was locked.
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    except OSError:
        os.close(descriptor)
        return None
    os.close(descriptor)
    return None
