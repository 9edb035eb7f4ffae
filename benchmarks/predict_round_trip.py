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

BARE = """
import sys, time, numpy as np
from pathlib import Path
from dlae_core.prediction import Predictor
engine = Predictor(Path(sys.argv[1]))._engine
image = np.random.default_rng(1).random((1, int(sys.argv[2]), int(sys.argv[2]), 1), np.float32)
for _ in range(10):
    engine.run(image)
print(type(engine).__name__, flush=True)
for line in sys.stdin:
    for pause in (0, 0.001):
        times, cpu = [], time.process_time()
        for _ in range(int(line)):
            time.sleep(pause)
            start = time.perf_counter()
            engine.run(image)
            times.append(time.perf_counter() - start)
        cpu = (time.process_time() - cpu) / len(times)
        print(sorted(times)[len(times) // 2], cpu, end=" ")
    print(flush=True)
"""
ECHO = """
import asyncio, grpc, sys
answer = bytes(int(sys.argv[1]))
async def echo(request, context):
    return answer
async def main():
    server = grpc.aio.server()
    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", methods),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""
LEAST = """
import asyncio, grpc, socket, subprocess, sys
worker = '''
import socket, sys, numpy as np
from pathlib import Path
from dlae_core.prediction import Predictor
engine = Predictor(Path(sys.argv[1]))._engine
side, pipe = int(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))
image = np.empty((1, side, side, 1), np.float32)
pipe.sendall(b"r")
while pipe.recv_into(image, 0, socket.MSG_WAITALL):
    pipe.sendall(engine.run(image).data)
'''
async def main():
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", worker, *sys.argv[1:3], str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 22)
        await reader.readexactly(1)
        async def predict(request, context):
            writer.write(request)
            return await reader.readexactly(int(sys.argv[3]))
        server = grpc.aio.server()
        methods = {"Echo": grpc.unary_unary_rpc_method_handler(predict)}
        handler = grpc.method_handlers_generic_handler("echo.Echo", methods)
        server.add_generic_rpc_handlers((handler,))
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)
        await server.start()
        await server.wait_for_termination()
asyncio.run(main())
"""


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
        rounds = [
            (
                *_bare(bare),
                *_timed(echo, []),
                *_timed(asked, [least.pid]),
                *_timed(predict, [server]),
            )
            for _ in range(ROUNDS)
        ]
    medians = [statistics.median(column) * 1e3 for column in zip(*rounds, strict=True)]
    forward, bare_cpu, rested, rested_cpu, echoed, _, least_ms, least_cpu, round_trip, cpu = medians
    # Differences within a round are disturbed less than those of medians of different times.
    added, added_rested = (
        statistics.median(row[8] - row[column] - row[4] for row in rounds) * 1e3
        for column in (0, 2)
    )
    over_least = statistics.median(row[8] - row[6] for row in rounds) * 1e3
    return {
        "engine": engine,
        "predict_ms": round(round_trip, 3),
        "bare_forward_ms": round(forward, 3),
        "rested_forward_ms": round(rested, 3),
        "echo_ms": round(echoed, 3),
        "least_service_ms": round(least_ms, 3),
        "added_ms": round(added, 3),
        "added_to_rested_ms": round(added_rested, 3),
        "added_to_least_service_ms": round(over_least, 3),
        "server_cpu_ms": round(cpu, 3),
        "least_service_cpu_ms": round(least_cpu, 3),
        "bare_cpu_ms": round(bare_cpu, 3),
        "rested_cpu_ms": round(rested_cpu, 3),
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
