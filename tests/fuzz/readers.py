"""Reads damaged files: `python -m tests.fuzz.readers FORMAT,FORMAT COUNT SEED FOLDER`.

In a process of its own, as what reads files of others is, with a bound to its memory. Prints what
came of them as one line of JSON; a file that is read wrongly, for too long or with a crash is the
one that is left in the folder.
"""

import faulthandler
import json
import os
import resource
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from dlae_core.errors import DlaeError
from tests.fuzz.formats import FORMATS, NETWORKS, Format
from tests.fuzz.inputs import Fuzz

SECONDS, MEMORY_BYTES, WARM = 10.0, 12 << 30, 30


def main() -> None:
    """Damages and reads files of each format."""
    names, count, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    faulthandler.enable()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    known = FORMATS | NETWORKS
    told = {name: _told(known[name], count, Fuzz(seed), folder / name) for name in names.split(",")}
    print(json.dumps(told))  # noqa: T201 - read by the test


def _told(found: Format, count: int, fuzz: Fuzz, folder: Path) -> dict[str, object]:
    """Returns what came of the files of a format."""
    folder.mkdir(exist_ok=True, parents=True)
    seeds = found.seeds(folder)
    outcomes: Counter[str] = Counter()
    before = 0
    for number in range(count):
        if number == min(WARM, count - 1):
            before = len(os.listdir("/proc/self/fd"))
        # The undamaged ones come first, and have to be read.
        whole = number < len(seeds)
        content = seeds[number] if whole else found.damage(fuzz, fuzz.random.choice(seeds))
        path = folder / f"damaged-{number}{found.ending}"
        path.write_bytes(content)
        start = time.monotonic()
        outcome = _outcome(found, path)
        assert outcome == "read" or not whole, outcome
        assert time.monotonic() - start < SECONDS
        outcomes[outcome] += 1
        path.unlink()
    more = len(os.listdir("/proc/self/fd")) - before
    peak = _peak_bytes() // 1_000_000
    return {"outcomes": outcomes, "more descriptors": more, "peak MB": peak}


def _peak_bytes() -> int:
    # What `getrusage` tells counts the process that began this one, too.
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) << 10


def _outcome(found: Format, path: Path) -> str:
    try:
        found.read(path)
    except DlaeError as error:
        return error.reason if str(error) else "no reason"
    return "read"


if __name__ == "__main__":
    main()
