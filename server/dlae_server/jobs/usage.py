"""What processes use of this machine."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What a worker uses.

    Attributes:
        resident_bytes: Memory that is resident; 0 where that cannot be known.
        cpu_seconds: Time of cores since it began; infinite where that cannot be known.
    """

    resident_bytes: int = 0
    cpu_seconds: float = float("inf")


def usage_of(pid: int) -> Usage:
    """Returns what a process uses."""
    return Usage(resident_bytes(pid), cpu_seconds(pid))


def resident_bytes(pid: int) -> int:
    """Returns the memory of a process that is resident; 0 where that cannot be known."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def cpu_seconds(pid: int) -> float:
    """Returns the time of cores that a process has used; infinite where that cannot be known."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return float("inf")
