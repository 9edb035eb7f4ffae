"""Whether the kernel has ended processes because memory ran out."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def kernel_kills(root: Path = Path("/")) -> int | None:
    """Returns how many processes the kernel has ended for want of memory, None if it does not say.

    Of this process's control group where that is counted, else of the whole system.
    """
    for path in _counters(root):
        with suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return None


def _counters(root: Path) -> Iterator[Path]:
    """Yields files with counters: of control groups of both versions, and of the kernel."""
    groups = root / "sys/fs/cgroup"
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                yield groups / group.lstrip("/") / "memory.events"
            elif "memory" in controllers.split(","):
                yield groups / "memory" / group.lstrip("/") / "memory.oom_control"
    # Inside of a container its own group is the root.
    yield groups / "memory.events"
    yield groups / "memory" / "memory.oom_control"
    yield root / "proc/vmstat"
