"""Question: what does a large volume cost on its way to a model and back, in time and memory?

One image of two axes, int16, goes through `PredictStream` in chunks of 1 MiB, to a real server with
a network of one convolution, tile by tile; labels, half as many bytes, come back. The bare stream
is an empty gRPC service of Python's asyncio that takes the same chunks, throws them away and sends
as many as the labels are. What the engine's call took, as the server counts it, is taken off. As
other programs disturb both, the CPU time of the server alone is told too. Rounds alternate;
medians. Memory is the most that server, model's process and what they share had in use at any time,
beyond what they had before.

    python -m benchmarks.volume_stream [MEGABYTES ...]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np

from benchmarks.networks import SIDE, config_text, write_data
from benchmarks.quiet import settle, timed
from dlae.arrays import header_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae_client import Client
from examples.session import running_server

CHUNK = 1 << 20
ROUNDS = 5
GOALS = {"time_ratio": 1.3, "memory_ratio": 2.5}
NETWORK = [f"Input:({SIDE}, {SIDE}, 1)", "Convolution 2D:2:(1, 1)", "Activation:softmax"]
OPTIONS = pb.PredictOptions(tile_overlap=0.0, images_at_once=32)

SINK = """
import asyncio, grpc
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.prediction_pb2_grpc import PredictionServiceServicer
from dlae.v1.prediction_pb2_grpc import add_PredictionServiceServicer_to_server as add
from dlae_server.allocation import keep_freed_blocks
class Sink(PredictionServiceServicer):
    async def PredictStream(self, requests, context):
        size = 0
        async for request in requests:
            size += len(request.data)
        for _ in range(0, size // 2, 1 << 20):
            yield pb.PredictStreamResponse(data=bytes(1 << 20))
async def main():
    keep_freed_blocks()
    server = grpc.aio.server()
    add(Sink(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""


def main() -> None:
    """Measures and prints medians and ratios."""
    sizes = [int(size) for size in sys.argv[1:]] or [200]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_data(folder, 16)
        config = json.loads(config_text(folder, 1))
        config["layers"]["serial_layer_list"] = NETWORK
        with running_server(folder) as address, Client(address) as client:
            client.wait(client.train(config, "pixel").id)
            # The worker in reserve for the next training starts meanwhile.
            settle()
            with _sink() as (sink, port):
                stubs = [
                    PredictionServiceStub(grpc.insecure_channel(where))
                    for where in (address, f"127.0.0.1:{port}")
                ]
                for size in sizes:
                    print(json.dumps(_measured(folder, size, stubs, sink)))


def _measured(
    folder: Path, megabytes: int, stubs: list[PredictionServiceStub], sink_pid: int
) -> dict[str, object]:
    server, sink = stubs
    side = int((megabytes * 1e6 / 2) ** 0.5)
    image = np.random.default_rng(1).integers(0, 1000, (1, side, side, 1), np.int16)
    facts = json.loads((folder / "server" / "server.json").read_text())
    _stream(server, image[:, :SIDE, :SIDE].copy())
    rounds = []
    for _ in range(ROUNDS if megabytes <= 500 else 1):
        cpu = -_cpu_seconds(sink_pid)
        bare = timed(lambda: _stream(sink, image))
        cpu += _cpu_seconds(sink_pid)
        before, own = _engine_seconds(facts), -_cpu_seconds(facts["pid"])
        with _Watch(facts["pid"]) as watch:
            whole = timed(lambda: _stream(server, image))
        engine, own = _engine_seconds(facts) - before, own + _cpu_seconds(facts["pid"])
        rounds.append((whole.seconds, engine, bare.seconds, own, cpu, whole.foreign, *watch.most))
    columns = [statistics.median(column) for column in zip(*rounds, strict=True)]
    total, engine, bare, own, cpu, foreign, memory, server_memory, shared = columns
    ratio = statistics.median((row[0] - row[1]) / row[2] for row in rounds)
    return {
        "benchmark": "volume_stream",
        "megabytes": round(image.nbytes / 1e6),
        "seconds": round(total, 3),
        "engine_seconds": round(engine, 3),
        "bare_stream_seconds": round(bare, 3),
        "time_ratio": round(ratio, 2),
        "server_cpu_seconds": round(own, 3),
        "bare_cpu_seconds": round(cpu, 3),
        "memory_ratio": round(memory / image.nbytes, 2),
        "server_megabytes": round(server_memory / 1e6),
        "shared_megabytes": round(shared / 1e6),
        "foreign_cores": round(foreign, 2),
        "goals": GOALS,
    }


def _stream(stub: PredictionServiceStub, image: np.ndarray) -> None:
    """Sends an image and throws the answer away."""

    def messages() -> Iterator[pb.PredictStreamRequest]:
        header = {"model": "pixel", "input": header_from_array(image), "options": OPTIONS}
        yield pb.PredictStreamRequest(
            header=pb.PredictStreamHeader(output_kind=pb.OUTPUT_KIND_LABELS, **header)
        )
        data = memoryview(image.reshape(-1)).cast("B")
        for start in range(0, len(data), CHUNK):
            yield pb.PredictStreamRequest(data=bytes(data[start : start + CHUNK]))

    for _ in stub.PredictStream(messages()):
        pass


@contextmanager
def _sink() -> Iterator[tuple[int, str]]:
    """Starts the empty service; yields its process and port."""
    with subprocess.Popen([sys.executable, "-c", SINK], text=True, stdout=subprocess.PIPE) as sink:
        try:
            yield sink.pid, sink.stdout.readline().strip()
        finally:
            sink.kill()


def _cpu_seconds(pid: int) -> float:
    """Returns the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _engine_seconds(facts: dict[str, int]) -> float:
    """Returns what calls of the engine have taken in all."""
    with urllib.request.urlopen(f"http://127.0.0.1:{facts['metrics_port']}/metrics") as page:
        lines = page.read().decode().splitlines()
    name = 'dlae_inference_stage_seconds_sum{stage="infer"} '
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


class _Watch:
    """Looks at the memory of a server and its children, as often as it can."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._before = self._now()
        self.most = [0.0, 0.0, 0.0]

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            now = [one - two for one, two in zip(self._now(), self._before, strict=True)]
            self.most = [max(pair) for pair in zip(self.most, now, strict=True)]

    def _now(self) -> list[float]:
        """Returns all memory in use, that of the server alone, and what is shared, in bytes."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        server, *others = (_anonymous(pid) for pid in (self._pid, *children))
        shared = _shared(self._pid)
        return [server + sum(others) + shared, server, shared]


def _anonymous(pid: int | str) -> float:
    lines = _read(lambda: Path(f"/proc/{pid}/status").read_text(), "").splitlines()
    return sum(float(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def _shared(pid: int) -> float:
    size = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if "memfd:dlae" in _read(lambda entry=entry: os.readlink(entry), ""):
            size += _read(lambda entry=entry: entry.stat().st_blocks, 0) * 512
    return float(size)


def _read(look: Callable[[], object], otherwise: object) -> object:
    """Returns what is there to be seen, which may have gone meanwhile."""
    try:
        return look()
    except OSError:
        return otherwise


if __name__ == "__main__":
    main()
