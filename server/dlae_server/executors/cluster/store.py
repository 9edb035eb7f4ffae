"""Files of jobs in an object store, where the nodes of a cluster share no folder.

Below the store's address `jobs/ID` holds the workspace of a job while it runs, and `files` what
jobs read of the server's data folder, under the names that it has there.
"""

from collections.abc import Iterable
from pathlib import Path

import fsspec

# Of a workspace what only its own process uses.
_NOT_BROUGHT = ("cache", "lock")


class Store:
    """A folder of an object store.

    All methods raise `OSError` where it does not answer as it should.
    """

    def __init__(self, address: str) -> None:
        """Connects to it; what that takes comes from the environment.

        Args:
            address: As fsspec knows it: `s3://bucket/folder`.
        """
        self._files, self._root = fsspec.core.url_to_fs(address)

    def bring(self, folder: Path, name: str, known: dict[str, tuple[int, int]]) -> None:
        """Makes the store's folder like one here.

        Args:
            folder: The one here.
            name: Of the one in the store.
            known: What was brought before, with length and time of change; is brought up to date.
        """
        here = {
            str(path.relative_to(folder)): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.relative_to(folder).parts[0] not in _NOT_BROUGHT
        }
        for inner, path in here.items():
            try:
                state = (path.stat().st_size, path.stat().st_mtime_ns)
                if known.get(inner) != state:
                    self._put(path, f"{name}/{inner}")
                    known[inner] = state
            except FileNotFoundError:
                # It was replaced by a newer one; that comes next time.
                continue
        for inner in [inner for inner in known if inner not in here]:
            self._remove(f"{name}/{inner}")
            del known[inner]

    def fetch(self, name: str, folder: Path) -> bool:
        """Gives a folder the files that one of the store has; returns whether it has any."""
        prefix = f"{self._root}/{name}"
        found = self._files.find(prefix) if self._files.exists(prefix) else []
        for path in found:
            target = folder / path.removeprefix(prefix).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"{target.name}.part")
            self._files.get_file(path, str(part))
            part.replace(target)
        return bool(found)

    def remove(self, name: str) -> None:
        """Removes a folder."""
        if self._files.exists(f"{self._root}/{name}"):
            self._files.rm(f"{self._root}/{name}", recursive=True)

    def keep(self, data_dir: Path, paths: Iterable[Path]) -> None:
        """Puts files of the data folder into the store, those that it has not yet."""
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                name = f"files/{file.relative_to(data_dir)}"
                if file.is_file() and not self._has(name, file.stat().st_size):
                    self._put(file, name)

    def _has(self, name: str, size: int) -> bool:
        path = f"{self._root}/{name}"
        return bool(self._files.exists(path) and self._files.size(path) == size)

    def _put(self, path: Path, name: str) -> None:
        target = f"{self._root}/{name}"
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(path), target)

    def _remove(self, name: str) -> None:
        if self._files.exists(f"{self._root}/{name}"):
            self._files.rm(f"{self._root}/{name}")
