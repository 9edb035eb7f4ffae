"""Question: how long does reading and checking a configuration take, warm, without Keras?

Every prebuilt network in DLAE 1.0's own form, the largest files there are, and our examples: each
is read `READINGS` times. Layers that a process has read before are remembered, in this benchmark
as in a server; `cold_ms` is the first reading of a process that has imported everything. Times are
those of the processor: one thread computes and nothing waits.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from dlae_core.config import complete_config, load_config, read_config
from dlae_core.config.legacy import write_legacy_config
from dlae_core.config.prebuilt import prebuilt_names
from dlae_core.errors import InvalidConfig

EXAMPLES = Path(__file__).parents[1] / "examples"
READINGS = 20
GOAL_MS = 20.0

COLD = """
import sys, time
from dlae_core.config import load_config
from dlae_core.errors import InvalidConfig
text = sys.stdin.read()
start = time.process_time()
try:
    load_config(text)
except InvalidConfig:
    pass
print(time.process_time() - start, "keras" in sys.modules)
"""


def main() -> None:
    """Measures and prints the median of the slowest file."""
    texts = {name: legacy_text(name) for name in prebuilt_names()}
    texts |= {str(path): path.read_text() for path in EXAMPLES.glob("*/config*.json")}
    medians = {name: statistics.median(reading_seconds(text)) for name, text in texts.items()}
    slowest = max(medians, key=lambda name: medians[name])
    cold, knows_keras = cold_reading(texts[slowest])
    print(
        json.dumps(
            {
                "benchmark": "config_reading",
                "files": len(texts),
                "slowest": slowest,
                "characters": len(texts[slowest]),
                "slowest_ms": round(medians[slowest] * 1e3, 2),
                "median_ms": round(statistics.median(medians.values()) * 1e3, 2),
                "cold_ms": round(cold * 1e3, 2),
                "imports_keras": knows_keras,
                "goal_ms": GOAL_MS,
            }
        )
    )


def legacy_text(name: str) -> str:
    """Returns a prebuilt network in DLAE 1.0's own form."""
    reading = read_config(json.dumps({"config_file": {"prebuilt": name}}))
    return write_legacy_config(complete_config(reading.config).config)


def reading_seconds(text: str) -> list[float]:
    """Returns the seconds of each reading but the first."""
    times = []
    for _ in range(READINGS + 1):
        start = time.process_time()
        # A prebuilt network has no data files; all else is read and checked.
        with contextlib.suppress(InvalidConfig):
            load_config(text)
        times.append(time.process_time() - start)
    return times[1:]


def cold_reading(text: str) -> tuple[float, bool]:
    """Returns the seconds of a process's first reading, and whether it has loaded Keras."""
    command = [sys.executable, "-c", COLD]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    seconds, knows_keras = done.stdout.split()
    return float(seconds), knows_keras == "True"


if __name__ == "__main__":
    main()
