"""Question: what does a Predict call cost over the bare engine and an echo of the same bytes?

A real server process, one caller, one image of 128 x 128 at a time. The bare pass is the engine
that the server uses, in a process of its own, without a server; the echo is an empty gRPC service
of Python's asyncio, in another, which takes as many bytes as the images have and answers with as
many as the prediction has. The least service is the same empty service before the bare engine in a
process of its own, which it asks through a socket: no admission, record, queue, shared memory,
preparation or description, only what gRPC and two processes cost beside an engine that takes the
cores and the caches. The engine runs once without rest, and once with a rest of 1 ms
between calls, as it has it in a server too: its threads sleep then. Rounds alternate; medians.
Where other programs use the machine, CPU times tell more than the round trip.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import grpc
import numpy as np

from benchmarks.bare_programs import BARE, ECHO, LEAST
from benchmarks.networks import CLASSES, SIDE, config_text, unet_layers, write_data
from benchmarks.quiet import settle
from dlae_client import Client
from examples.session import running_server

CALLS = 100
ROUNDS = 7
# What preparation, transport to the model's process and bookkeeping may add.
GOAL_MS = 0.3

# The second computes next to nothing, so that nothing hides what is added.
NETWORKS = {
    "unet": unet_layers(),
    "pixel": [f"Input:({SIDE}, {SIDE}, 1)", "Convolution 2D:2:(1, 1)", "Activation:softmax"],
}


def main() -> None:
    """Measures and prints the medians, and what is on top of both."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images, _ = write_data(folder, 16)
        with running_server(folder) as address, Client(address) as client:
            for name in sys.argv[1:] or NETWORKS:
                config = json.loads(config_text(folder, 1))
                config["layers"]["serial_layer_list"] = NETWORKS[name]
                job = client.wait(client.train(config, name).id)
                bundle = folder / "server" / "models" / job.id
                answer = _measured(folder, bundle, partial(client.predict, name, images[:1]))
                heading = {"benchmark": "predict_round_trip", "network": name}
                print(json.dumps({**heading, **answer, "goal_ms": GOAL_MS}))


def _measured(folder: Path, bundle: Path, predict: Callable[[], object]) -> dict[str, object]:
    payload = np.zeros(SIDE * SIDE, np.float32).tobytes()
    answer = str(CLASSES * len(payload))
    server = json.loads((folder / "server" / "server.json").read_text())["pid"]
    with (
        _process(BARE, str(bundle), str(SIDE)) as (bare, engine),
        _process(ECHO, answer) as (_, echo_port),
        _process(LEAST, str(bundle), str(SIDE), answer) as (least, least_port),
        grpc.insecure_channel(f"127.0.0.1:{echo_port}") as echo_channel,
        grpc.insecure_channel(f"127.0.0.1:{least_port}") as least_channel,
    ):
        echo, asked = (
            partial(channel.unary_unary("/echo.Echo/Echo"), payload)
            for channel in (echo_channel, least_channel)
        )
        for _ in range(20):
            predict(), echo(), asked()
        # The worker in reserve for the next training starts meanwhile.
        settle()
        rounds = []
        for _ in range(ROUNDS):
            forward, bare_cpu, rested, rested_cpu = _bare(bare)
            row = {"bare_forward_ms": forward, "rested_forward_ms": rested}
            row |= {"bare_cpu_ms": bare_cpu, "rested_cpu_ms": rested_cpu}
            row["echo_ms"], _ = _timed(echo, [])
            row["least_service_ms"], row["least_service_cpu_ms"] = _timed(asked, [least.pid])
            row["predict_ms"], row["server_cpu_ms"] = _timed(predict, [server])
            rounds.append(row | _added(row))
    return {"engine": engine} | {
        name: round(statistics.median(row[name] for row in rounds) * 1e3, 3) for name in rounds[0]
    }


def _added(row: dict[str, float]) -> dict[str, float]:
    """Returns what a call takes on top: within a round, others disturb a difference least."""
    over_echo = row["predict_ms"] - row["echo_ms"]
    return {
        "added_ms": over_echo - row["bare_forward_ms"],
        "added_to_rested_ms": over_echo - row["rested_forward_ms"],
        "added_to_least_service_ms": row["predict_ms"] - row["least_service_ms"],
    }


@contextmanager
def _process(program: str, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Starts a Python program; yields it and its first line."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, text=True, **pipes) as started:
        try:
            yield started, started.stdout.readline().strip()
        finally:
            started.kill()


def _bare(process: "subprocess.Popen[str]") -> tuple[float, ...]:
    """Returns median and CPU time per call of the bare engine, without rest and with it."""
    process.stdin.write(f"{CALLS}\n")
    process.stdin.flush()
    return tuple(map(float, process.stdout.readline().split()))


def _timed(call: Callable[[], object], servers: list[int]) -> tuple[float, float]:
    """Returns the median time of a call, and the CPU time per call of servers and their workers."""
    times, before = [], _cpu_seconds(servers)
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times), (_cpu_seconds(servers) - before) / CALLS


def _cpu_seconds(processes: list[int]) -> float:
    """Returns the CPU time that processes and their children have used."""
    ticks = 0
    for process in processes:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for one in (process, *children):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
