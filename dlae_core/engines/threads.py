"""How many threads an engine may have, by the models that are loaded beside it."""

import math
from pathlib import Path

from dlae_core.data.ahead import cores

# A model has as many threads as this, if there are as many cores, however many models there are.
# Two models on two cores that both work answer 2 to 8 % less with all cores each than with one
# each, while a model that works alone answers 44 % less with one.
FEWEST = 4
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Returns the cores that this process may use, by its affinity and by its container's quota.

    Args:
        quota: Of Linux' control groups: the time that may be used, or `max`, and of which time.
    """
    try:
        used, period = quota.read_text().split()
        allowed = math.ceil(int(used) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return cores()
    return max(min(cores(), allowed), 1)


def threads_of(models: int, available: int) -> int:
    """Returns the threads for each of some models that share the cores.

    Args:
        models: That may be loaded at once.
        available: Cores.
    """
    return max(available // max(models, 1), min(available, FEWEST))


def shared_threads(models: int) -> int | None:
    """Returns the threads for each of some models here; None where each may have every core."""
    threads = threads_of(models, usable_cores())
    return threads if threads < cores() else None
