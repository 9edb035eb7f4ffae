"""Files and folders copied to the disk; what is one file under several names stays one."""

import hashlib
import os
import shutil
from pathlib import Path

from dlae_core.bundle import sync_folder

BLOCK_BYTES = 1 << 20


class Links:
    """Copies each file of several names once, in however many folders, where there are links."""

    def __init__(self) -> None:
        self._copies: dict[tuple[int, int], Path] = {}

    def copy_tree(self, source: Path, target: Path, without: tuple[str, ...] = ()) -> None:
        """Copies a folder.

        Args:
            source: The folder.
            target: Its copy, which may be there.
            without: Names in the folder that are left out.

        Raises:
            OSError: Something cannot be read or written, or is gone meanwhile.
        """
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.iterdir()):
            if path.name in without:
                continue
            if path.is_dir():
                self.copy_tree(path, target / path.name)
            else:
                self._copy(path, target / path.name)

    def _copy(self, source: Path, target: Path) -> None:
        found = source.stat()
        copied = self._copies.setdefault((found.st_dev, found.st_ino), target)
        if copied is target or not link(copied, target):
            copy(source, target)


def link(source: Path, target: Path) -> bool:
    """Gives a file another name; returns False where the disk has no links, or no more of them."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def copy(source: Path, target: Path) -> str:
    """Copies a file to the disk; returns its SHA-256."""
    digest = hashlib.sha256()
    # What an attempt before has left may be read-only.
    target.unlink(missing_ok=True)
    with source.open("rb") as old, target.open("wb") as new:
        while block := old.read(BLOCK_BYTES):
            digest.update(block)
            new.write(block)
        new.flush()
        os.fsync(new.fileno())
    shutil.copymode(source, target)
    return digest.hexdigest()


def sync_folders(folder: Path) -> None:
    """Has the disk take the names in a folder and all below."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
