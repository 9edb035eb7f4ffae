"""Question: what does a Predict call cost over the bare forward pass of the same model?

A real server process, one caller, one image of 128 x 128 at a time. The bare pass is the engine
that the server uses, in a process of its own, without a server. Rounds alternate; medians.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.networks import SIDE, config_text, write_data
from dlae_client import Client
from examples.session import running_server

CALLS = 100
ROUNDS = 5
GOAL_MS = 1.0

BARE = """
import sys, time, numpy as np
from pathlib import Path
from dlae_core.engines.tensorflow import TensorFlowEngine
engine = TensorFlowEngine(Path(sys.argv[1]))
image = np.random.default_rng(1).random((1, int(sys.argv[2]), int(sys.argv[2]), 1), np.float32)
for _ in range(10):
    engine.run(image)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        engine.run(image)
        times.append(time.perf_counter() - start)
    print(sorted(times)[len(times) // 2], flush=True)
"""


def main() -> None:
    """Measures and prints both medians and their difference."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images, _ = write_data(folder, 16)
        with running_server(folder) as address, Client(address) as client:
            job = client.train(json.loads(config_text(folder, 1)), "unet")
            client.wait(job.id)
            path = client.fetch("unet", folder / "unet.keras")
            command = [sys.executable, "-c", BARE, str(path), str(SIDE)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            with subprocess.Popen(command, text=True, **pipes) as bare:
                for _ in range(10):
                    client.predict("unet", images[:1])
                rounds = [
                    (_bare_median(bare), _median(lambda: client.predict("unet", images[:1])))
                    for _ in range(ROUNDS)
                ]
                bare.stdin.close()
    forward, round_trip = (statistics.median(times) * 1e3 for times in zip(*rounds, strict=True))
    print(
        json.dumps(
            {
                "benchmark": "predict_round_trip",
                "predict_ms": round(round_trip, 3),
                "bare_forward_ms": round(forward, 3),
                "on_top_ms": round(round_trip - forward, 3),
                "goal_ms": GOAL_MS,
            }
        )
    )


def _bare_median(bare: "subprocess.Popen[str]") -> float:
    bare.stdin.write(f"{CALLS}\n")
    bare.stdin.flush()
    return float(bare.stdout.readline())


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
