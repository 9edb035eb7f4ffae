"""How busy other programs keep the machine meanwhile: what makes a measurement doubtful."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Seconds in all that a benchmark waits for other programs, of one look at them, between two looks.
PATIENCE, LOOK, PAUSE = 120.0, 0.2, 0.8
# Cores that they may use then.
QUIET = 0.1


@dataclass
class _Patience:
    left: float = PATIENCE


_patience = _Patience(float(os.environ.get("DLAE_BENCHMARK_PATIENCE", PATIENCE)))


@dataclass(frozen=True)
class Timed:
    """One measurement.

    Attributes:
        seconds: Wall-clock time.
        foreign: Cores that other programs used meanwhile; 0 where it cannot be known.
    """

    seconds: float
    foreign: float


def settle() -> None:
    """Waits until other programs are quiet, as long as there is patience left."""
    while _patience.left > 0 and timed(lambda: time.sleep(LOOK)).foreign > QUIET:
        time.sleep(PAUSE)
        _patience.left -= LOOK + PAUSE


def timed(work: Callable[[], object]) -> Timed:
    """Does some work and returns how long it took."""
    busy, own, start = _busy(), time.process_time(), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    others = _busy() - busy - (time.process_time() - own)
    return Timed(seconds, max(others, 0.0) / seconds)


def quietest(rounds: Sequence[Mapping[str, Timed]], *names: str) -> list[Mapping[str, Timed]]:
    """Returns the third of the rounds in which some measurements were disturbed least."""

    def load(one: Mapping[str, Timed]) -> float:
        return max(one[name].foreign for name in names)

    return sorted(rounds, key=load)[: max(len(rounds) // 3, 1)]


def median_ratio(rounds: Sequence[Mapping[str, Timed]], slow: str, fast: str) -> float:
    """Returns the median over rounds of how many times as fast one measurement is as another."""
    return statistics.median(one[slow].seconds / one[fast].seconds for one in rounds)


def fastest_ratio(rounds: Sequence[Mapping[str, Timed]], slow: str, fast: str) -> float:
    """Returns how many times as fast the fastest of one measurement is as that of another."""
    slowest, fastest = (min(one[name].seconds for one in rounds) for name in (slow, fast))
    return slowest / fastest


def median_seconds(rounds: Sequence[Mapping[str, Timed]], name: str) -> float:
    """Returns the median time of one measurement."""
    return statistics.median(one[name].seconds for one in rounds)


def median_load(rounds: Sequence[Mapping[str, Timed]], *names: str) -> float:
    """Returns the median of the foreign load during some measurements, in cores."""
    return statistics.median(one[name].foreign for one in rounds for name in names)


def _busy() -> float:
    """Returns the seconds that all cores together have been busy since the machine started."""
    source = Path("/proc/stat")
    if not source.exists():
        return 0.0
    ticks = list(map(int, source.read_text().splitlines()[0].split()[1:9]))
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
