"""How busy other programs keep the machine meanwhile: what makes a measurement doubtful."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timed:
    """One measurement.

    Attributes:
        seconds: Wall-clock time.
        foreign: Cores that other programs used meanwhile; 0 where it cannot be known.
    """

    seconds: float
    foreign: float


def timed(work: Callable[[], object]) -> Timed:
    """Does some work and returns how long it took."""
    busy, own, start = _busy(), time.process_time(), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    others = _busy() - busy - (time.process_time() - own)
    return Timed(seconds, max(others, 0.0) / seconds)


def quietest(rounds: Sequence[Mapping[str, Timed]]) -> list[Mapping[str, Timed]]:
    """Returns the third of the rounds, each of several measurements, that were disturbed least."""
    load = {id(one): max(timed.foreign for timed in one.values()) for one in rounds}
    return sorted(rounds, key=lambda one: load[id(one)])[: max(len(rounds) // 3, 1)]


def median_ratio(rounds: Sequence[Mapping[str, Timed]], slow: str, fast: str) -> float:
    """Returns the median over rounds of how many times as fast one measurement is as another."""
    return statistics.median(one[slow].seconds / one[fast].seconds for one in rounds)


def median_seconds(rounds: Sequence[Mapping[str, Timed]], name: str) -> float:
    """Returns the median time of one measurement."""
    return statistics.median(one[name].seconds for one in rounds)


def median_load(rounds: Sequence[Mapping[str, Timed]]) -> float:
    """Returns the median of the foreign load, in cores."""
    return statistics.median(timed.foreign for one in rounds for timed in one.values())


def _busy() -> float:
    """Returns the seconds that all cores together have been busy since the machine started."""
    source = Path("/proc/stat")
    if not source.exists():
        return 0.0
    ticks = list(map(int, source.read_text().splitlines()[0].split()[1:9]))
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
