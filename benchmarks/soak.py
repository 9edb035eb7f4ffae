"""Question: does a server that is used for long grow, in memory, handles, threads or latency?

Clients of every kind ask at once, an hour long by default: single predictions, chunked ones of all
sizes, the Open Inference Protocol over gRPC and HTTP, models loaded and unloaded under the others'
feet, requests that are wrong, deadlines that pass and calls that are given up. Every answer is
compared with what it has to be. After a first part everybody rests, all models are unloaded, and
the server is measured; again in the end: what it has more then, it has lost. Latency is that of one
caller at these times, over that of calls that do nothing.

    python -m benchmarks.soak [--minutes 60] [--pause 0.025]
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.networks import SIDE, config_text, write_data
from benchmarks.soak_clients import PAUSE_SECONDS, Served, Soak
from dlae_client import Client
from examples.session import running_server

NETWORK = [f"Input:({SIDE}, {SIDE}, 1)", "Convolution 2D:2:(1, 1)", "Activation:softmax"]
# Share of the time after which everything has been seen once, and memory is what it needs.
BEGINNING = 0.3
# What a server may have more in the end: pages that the C library keeps, and noise of the clock.
MOST = {"memory_bytes": 24e6, "handles": 0, "threads": 2, "latency_ratio": 2.0}


def soak(served: Served, seconds: float, pause: float = PAUSE_SECONDS) -> dict[str, object]:
    """Returns what a server has lost over some time, and what went wrong."""
    soaking = Soak(served, pause)
    soaking.run(seconds * BEGINNING)
    before = soaking.measured()
    soaking.run(seconds * (1 - BEGINNING))
    after = soaking.measured()
    grown = {name: after[name] - before[name] for name in before}
    grown["latency_ratio"] = after["latency_ratio"] / before["latency_ratio"]
    return {
        "grown": {name: round(value, 3) for name, value in grown.items()},
        "too_much": [name for name, value in grown.items() if value > MOST[name]],
        "in_the_end": after,
        "calls": dict(sorted(soaking.tally.counts.items())),
        "wrong": soaking.tally.wrong[:20],
    }


def main() -> None:
    """Soaks a server of its own and prints what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--pause",
        type=float,
        default=PAUSE_SECONDS,
        help="seconds between two calls of a client, on average",
    )
    asked = parser.parse_args()
    minutes = asked.minutes
    os.environ["DLAE_REST_ADDRESS"] = "127.0.0.1:0"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images, _ = write_data(folder, 16)
        config = json.loads(config_text(folder, 1))
        config["layers"]["serial_layer_list"] = NETWORK
        models = ("one", "two", "three")
        with running_server(folder) as address:
            with Client(address) as client:
                for name in models:
                    client.wait(client.train(config, name).id)
            facts = json.loads((folder / "server" / "server.json").read_text())
            large = np.random.default_rng(2).random((1, 2200, 2200, 1), np.float32)
            served = Served(facts["pid"], address, facts["rest"], models, images[:1], large)
            found = soak(served, minutes * 60, asked.pause)
            print(json.dumps({"benchmark": "soak", "minutes": minutes, **found}))


if __name__ == "__main__":
    main()
