"""Whether the server may take more: what is free on its disk, and of its memory.

What runs goes on: a training that is paused for want of memory would have to write a checkpoint and
to load everything again, and one that has no disk fails with a checkpoint that it goes on from.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dlae_server.access.errors import DiskLow, MemoryLow
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings

_KIB = 1024


class Watermarks:
    """Levels below which nothing new is taken; the metrics show how far away they are."""

    def __init__(self, settings: Settings, metrics: Metrics, root: Path = Path("/")) -> None:
        self._settings = settings
        self._refused = metrics.refused
        self._root = root
        metrics.disk_free.set_function(self.free_disk)
        metrics.memory_available.set_function(self.available_memory)

    def require_disk(self) -> None:
        """Raises `DiskLow` where the disk is nearly full."""
        free, least = int(self.free_disk()), self._settings.free_bytes
        if free < least:
            self._refused.labels("disk").inc()
            raise DiskLow(free, least)

    def require_memory(self) -> None:
        """Raises `MemoryLow` where there is hardly any memory."""
        available, least = self.available_memory(), self._settings.memory_bytes
        if available < least:
            self._refused.labels("memory").inc()
            raise MemoryLow(int(available), least)

    def free_disk(self) -> float:
        """Returns the bytes that are free in the data folder."""
        return float(shutil.disk_usage(self._settings.data_dir).free)

    def available_memory(self) -> float:
        """Returns the bytes that processes may still have; infinity where nobody says."""
        return min(_available(self._root), default=float("inf"))


def _available(root: Path) -> Iterator[float]:
    """Yields what the kernel has, and what this control group may still take."""
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield float(line.split()[1]) * _KIB
    for folder in _groups(root):
        with suppress(OSError, ValueError):
            limit = float((folder / "memory.max").read_text())
            used = float((folder / "memory.current").read_text())
            yield max(limit - used + _reclaimable(folder), 0.0)


def _groups(root: Path) -> Iterator[Path]:
    """Yields the folders of this process's control group and of those above it."""
    base = root / "sys/fs/cgroup"
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                folder = base / group.lstrip("/")
                yield from (one for one in (folder, *folder.parents) if one.is_relative_to(base))


def _reclaimable(folder: Path) -> float:
    """Returns what files in memory take, which goes first."""
    for line in (folder / "memory.stat").read_text().splitlines():
        name, _, count = line.partition(" ")
        if name == "inactive_file":
            return float(count)
    return 0.0
