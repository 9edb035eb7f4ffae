"""Question: what do a thousand models and ten thousand jobs cost a server, and how fast is a fetch?

A real server process starts with a folder that holds them: from its start to the file that says
where it listens; the jobs that made no model are paused. Then one caller lists a page of 100, lists
all at once, looks one model up, moves an alias and deletes models; percentiles over the calls. A
fetch of 256 MiB is compared with an empty gRPC service of Python's asyncio, in a process of its
own, which streams the same pieces out of memory to a client that drops them; both are on this
machine, so they share its cores. Rounds alternate.
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
from pathlib import Path

import grpc

from dlae.v1 import models_pb2 as pb
from dlae.v1.training_pb2 import JobEvent, StepFinished
from dlae_client import Client
from dlae_core.bundle import write_manifest
from dlae_server.jobs.states import Job, enter
from dlae_server.models.registry import model_from_bundle
from dlae_server.store import Store
from tests.sessions import config_text

MODELS, JOBS, EVENTS = 1_000, 10_000, 20
BYTES = 256 << 20
ROUNDS, CALLS = 3, 300
METHOD = "/raw/Stream"
RAW = """
import asyncio, sys, grpc
from dlae.v1.models_pb2 import FetchModelResponse
piece, count = bytes(1 << 20), int(sys.argv[1]) >> 20
async def stream(request, context):
    for number in range(count):
        yield FetchModelResponse(file="model.keras", offset=number << 20, data=piece)
async def main():
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    handler = grpc.unary_stream_rpc_method_handler(
        stream, response_serializer=FetchModelResponse.SerializeToString)
    handlers = grpc.method_handlers_generic_handler("raw", {"Stream": handler})
    server.add_generic_rpc_handlers([handlers])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""


def main() -> None:
    """Prints one line of JSON per measurement."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "server"
        _fill(folder)
        store = (folder / "dlae.sqlite3").stat().st_size
        print(
            json.dumps({"models": MODELS, "jobs": JOBS, "store_mib": round(store / (1 << 20), 1)})
        )
        with _server(folder) as (address, seconds, process):
            _tell("server start", seconds)
            with Client(address) as client:
                _calls(client)
                _fetches(client, Path(scratch))
            status = Path(f"/proc/{process}/status").read_text().split("VmRSS:")[1].split()[0]
            print(json.dumps({"what": "memory of the server", "mib": int(status) >> 10}))


def _fill(folder: Path) -> None:
    """Writes a folder of jobs with events, and models without networks but for a large one."""
    folder.mkdir()
    config = config_text(folder)
    store = Store(folder / "dlae.sqlite3")
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(JOBS):
        job = Job(id=f"j{number}", name=f"m{number % (MODELS // 4)}")
        store.add_job(job, config, enter(job, Job.STATE_QUEUED))
        for _ in range(EVENTS):
            step = StepFinished(metrics={"loss": 0.5, "dice": 0.5}, steps_done=1)
            store.record(job.id, lambda job, step=step: JobEvent(step_finished=step))
        if number < MODELS:
            model = model_from_bundle(_bundle(folder / "models" / job.id, number == 0), job)
            store.record_model(model)
        else:
            store.record(job.id, lambda job: enter(job, Job.STATE_PAUSED))
    store.close()


def _bundle(path: Path, large: bool) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "history.csv").write_text("epoch,loss\n")
    with (path / "model.keras").open("wb") as file:
        for _ in range((BYTES if large else 1 << 20) >> 20):
            file.write(bytes(1 << 20) if large else b"network")
    facts = {
        **{"dlae_version": "2", "keras_version": "3", "create_time": "2026-01-01T00:00:00+00:00"},
        **{"family": "FCN", "input_shape": (8, 8, 1), "output_shape": (8, 8, 2), "classes": 2},
        **{"parameters": 7, "seed": 1, "preprocessing": {}},
        "metrics": dict.fromkeys(("loss", "dice", "val_loss", "val_dice"), 0.5),
        "data": {"train_X": {"sha256": "0" * 64, "samples": 9}},
    }
    write_manifest(path, facts)
    return path


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, float, int]]:
    """Runs a server; gives its address, the seconds that its start took, and its process id."""
    place = ["--data-dir", str(folder), "--listen", "127.0.0.1:0", "--no-metrics"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlae_server.main", *place], stderr=subprocess.DEVNULL
    )
    card = folder / "server.json"
    while not card.exists():
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    try:
        yield json.loads(card.read_text())["listen"], seconds, process.pid
    finally:
        process.terminate()
        process.wait()


def _calls(client: Client) -> None:
    page = client._models.ListModels
    numbers = iter(range(1 << 30))
    work: dict[str, Callable[[], object]] = {
        "list 100 models": lambda: page(pb.ListModelsRequest()),
        "list all models": lambda: page(pb.ListModelsRequest(page_size=1000)),
        "versions of a name": lambda: page(pb.ListModelsRequest(name="m7")),
        "get a model": lambda: client.model(f"m{next(numbers) % (MODELS // 4 - 1) + 1}"),
        "move an alias": lambda: client.set_alias(f"m1@{next(numbers) % 4 + 1}", "production"),
        "history": lambda: list(client.model_changes("m1")),
        "delete a model": lambda: client.delete_model(_old(next(numbers))),
    }
    for name, call in work.items():
        call()
        times = sorted(_seconds(call) for _ in range(CALLS))
        row = {
            "what": name,
            "p50_ms": times[CALLS // 2] * 1e3,
            "p99_ms": times[-CALLS // 100] * 1e3,
        }
        print(json.dumps({key: _rounded(value) for key, value in row.items()}), flush=True)


def _old(number: int) -> str:
    """Returns one of many models, another for each of successive numbers."""
    names = MODELS // 4 - 2
    return f"m{number % names + 2}@{number // names % 4 + 1}"


def _fetches(client: Client, scratch: Path) -> None:
    raw = subprocess.Popen(
        [sys.executable, "-c", RAW, str(BYTES)], stdout=subprocess.PIPE, text=True
    )
    assert raw.stdout
    address = f"127.0.0.1:{raw.stdout.readline().strip()}"
    options = [("grpc.max_receive_message_length", -1)]
    ours, theirs, dropped = [], [], []
    pieces = client._models.FetchModel
    request = pb.FetchModelRequest(model="m0@1", file="model.keras")
    try:
        with grpc.insecure_channel(address, options=options) as channel:
            stream = channel.unary_stream(
                METHOD, response_deserializer=pb.FetchModelResponse.FromString
            )
            for number in range(ROUNDS):
                theirs.append(_seconds(lambda: sum(len(one.data) for one in stream(b""))))
                dropped.append(_seconds(lambda: sum(len(one.data) for one in pieces(request))))
                path = scratch / f"{number}.keras"
                ours.append(_seconds(lambda path=path: client.fetch("m0@1", path)))
    finally:
        raw.terminate()
        raw.wait()
        raw.stdout.close()
    for name, times in (("raw stream", theirs), ("our stream", dropped), ("fetch", ours)):
        rate = BYTES / statistics.median(times) / (1 << 20)
        print(json.dumps({"what": name, "mib_per_s": round(rate)}), flush=True)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _tell(what: str, seconds: float) -> None:
    print(json.dumps({"what": what, "seconds": round(seconds, 2)}), flush=True)


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
