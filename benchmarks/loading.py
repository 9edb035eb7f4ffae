"""Question: how soon does a model that is not loaded answer, and what do loads leave behind?

A real server and one network. Cold: the time of a call of a model that has no process, over some
loads; beside it that of the same call once it is loaded. Cycles: loads through the Open Inference
Protocol, each followed by a prediction and an unload; what the server has more of memory, handles
and threads at the end than after the first ones, which warm up what C library and Python keep.

    python -m benchmarks.loading [unet] [cnn3d]
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np

from benchmarks.predict_throughput import NETWORKS, config_of
from dlae_client import Client
from dlae_server import oip
from examples.session import running_server

COLD, FIRST, CYCLES = 7, 20, 100
GOALS = {"cold_seconds": 1.5, "grown_bytes": 0, "grown_handles": 0, "grown_threads": 0}


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with (
            running_server(folder) as address,
            Client(address) as client,
            grpc.insecure_channel(address) as channel,
        ):
            for name in sys.argv[1:] or ["unet"]:
                client.wait(client.train(config_of(folder, name), name).id)
                pid = json.loads((folder / "server" / "server.json").read_text())["pid"]
                print(json.dumps(measured(channel, client, pid, name)), flush=True)


def measured(channel: grpc.Channel, client: Client, pid: int, name: str) -> dict[str, object]:
    """Returns times and what has grown."""
    image = np.random.default_rng(1).random((1, *NETWORKS[name][1]), np.float32)
    cold, warm = [], []
    for _ in range(COLD):
        _manage(channel, "RepositoryModelUnload", name)
        cold.append(_seconds(lambda: client.predict(name, image)))
        warm.append(min(_seconds(lambda: client.predict(name, image)) for _ in range(5)))
    for _ in range(FIRST):
        _cycle(channel, client, name, image)
    before = _held(pid)
    for _ in range(CYCLES):
        _cycle(channel, client, name, image)
    grown = {key: value - before[key] for key, value in _held(pid).items()}
    return {
        "benchmark": "loading",
        "network": name,
        "cold_seconds": round(statistics.median(cold), 3),
        "coldest_seconds": round(max(cold), 3),
        "warm_seconds": round(statistics.median(warm), 4),
        "cycles": CYCLES,
        "bytes_before": before["bytes"],
        **{f"grown_{key}": value for key, value in grown.items()},
        "load": os.getloadavg()[0],
        "goals": GOALS,
    }


def _cycle(channel: grpc.Channel, client: Client, name: str, image: np.ndarray) -> None:
    _manage(channel, "RepositoryModelLoad", name)
    client.predict(name, image)
    _manage(channel, "RepositoryModelUnload", name)


def _manage(channel: grpc.Channel, method: str, name: str) -> None:
    request, response = oip.methods()[method]
    call = channel.unary_unary(
        f"/{oip.SERVICE}/{method}", request.SerializeToString, response.FromString
    )
    call(request(model_name=name), timeout=60)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _held(pid: int) -> dict[str, int]:
    """Returns what a server has in use, once its processes have gone."""
    time.sleep(1)
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {
        "bytes": int(status["RssAnon"].split()[0]) * 1024,
        "handles": len(os.listdir(process / "fd")),
        "threads": int(status["Threads"]),
    }


if __name__ == "__main__":
    main()
