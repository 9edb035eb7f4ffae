"""Question: what do 10,000 waiting jobs and 1,000 watchers cost, and how soon does a job begin?

A server process starts with a folder in which 10,000 jobs wait, and begins the first: its worker is
a program that tells of an event whenever it is asked to. One caller submits, lists and looks jobs
up; percentiles over the calls, and the time of cores that the server used for one, which other
programs disturb less. A thousand watchers, one call each over ten connections of another process,
follow the running job: the time from an event to when the last has it. Then a real worker: from the
submission of a small training to its first step, with a worker in reserve and without, beyond what
the engine alone takes to its first step in a process that has loaded it: to open the data, build
the graph and compile the step.
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
from typing import Any

from benchmarks.quiet import settle
from dlae.v1 import training_pb2 as pb
from dlae_client import Client, JobOptions
from dlae_server.jobs.states import Job, enter
from dlae_server.jobs.usage import cpu_seconds
from dlae_server.store import Store
from tests.sessions import config_text, write_bright_images

JOBS, WATCHERS, CHANNELS = 10_000, 1_000, 10
EVENTS, CALLS, ROUNDS = 20, 300, 5
# Serves with workers that tell of an event for each line of a pipe, and of the time in it.
SERVER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from dlae_server.app import Commands
from dlae_server.main import serve_until_signal
from dlae_server.settings import Settings
folder = Path(sys.argv[1])
settings = Settings("127.0.0.1:0", folder, (folder.parent,), None, queued_jobs=20_000)
asyncio.run(serve_until_signal(settings, Commands(task=(sys.executable, "-S", "-c", sys.argv[2]))))
"""
WORKER = """
import json, time
input()
with open({pipe!r}) as pipe:
    for line in pipe:
        told = {{"warned": {{"reason": "T", "message": str(time.time())}}}}
        print(json.dumps({{"event": told}}), flush=True)
input()
"""
WATCHER = """
import asyncio, sys, time, grpc
from dlae.v1 import training_pb2 as pb
from dlae.v1.training_pb2_grpc import TrainingServiceStub
address, job, watchers, channels, events = sys.argv[1:3] + [int(one) for one in sys.argv[3:]]
async def main():
    late = [0.0] * events
    ready = 0
    async def watch(stub):
        nonlocal ready
        seen = 0
        async for answer in stub.Watch(pb.WatchRequest(job_id=job)):
            event = answer.event
            if event.HasField("warned"):
                late[seen] = max(late[seen], time.time() - float(event.warned.message))
                seen += 1
            elif event.HasField("state_changed") and event.state_changed.state == 2:
                ready += 1
                if ready == watchers:
                    print("ready", flush=True)
            if seen == events:
                return
    opened = [
        grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(channels)
    ]
    await asyncio.gather(
        *(watch(TrainingServiceStub(opened[n % channels])) for n in range(watchers)))
    print(" ".join(map(str, late)), flush=True)
asyncio.run(main())
"""


def main() -> None:
    """Prints one line of JSON per measurement."""
    with tempfile.TemporaryDirectory() as scratch:
        _queue(Path(scratch))
    with tempfile.TemporaryDirectory() as scratch:
        _first_steps(Path(scratch))


def _queue(scratch: Path) -> None:
    folder, pipe = scratch / "server", scratch / "pipe"
    os.mkfifo(pipe)
    text = _config(scratch)
    _fill(folder, text)
    worker = WORKER.format(pipe=str(pipe))
    with _server(folder, "-c", SERVER, str(folder), worker) as (address, seconds, pid):
        _tell(what="server start", seconds=seconds, cpu_seconds=cpu_seconds(pid), jobs=JOBS)
        with Client(address) as client:
            _calls(client, json.loads(text), pid)
            _tell(what="memory of the server", mib=_memory(pid))
            running = next(client.jobs(["STATE_RUNNING"]))
            _watch(address, running.id, pipe, pid)
            _tell(what="memory of the server with watchers", mib=_memory(pid))


def _fill(folder: Path, config: str) -> None:
    folder.mkdir()
    store = Store(folder / "dlae.sqlite3")
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(JOBS):
        options = pb.JobOptions(user=f"u{number % 20}", labels={"study": str(number % 50)})
        job = Job(id=f"m{number % 100}-{number:05}", name=f"m{number % 100}", options=options)
        job.create_time.GetCurrentTime()
        store.add_job(job, config, enter(job, Job.STATE_QUEUED))
    store.close()


def _calls(client: Client, config: dict[str, Any], pid: int) -> None:
    stub = client._training
    ids = [job.id for job in client.jobs(name="m7")]
    numbers = iter(range(1 << 30))
    labels = {"study": "7"}
    work: dict[str, Callable[[], object]] = {
        "submit": lambda: client.train(config, "m7"),
        "submit with options": lambda: client.train(
            config, "m7", JobOptions(labels=labels, priority=1)
        ),
        "status": lambda: client.status(ids[next(numbers) % len(ids)]),
        "list 100 jobs": lambda: stub.ListJobs(pb.ListJobsRequest()),
        "list by label and state": lambda: stub.ListJobs(
            pb.ListJobsRequest(labels=labels, states=[Job.STATE_QUEUED])
        ),
        "list by user": lambda: stub.ListJobs(pb.ListJobsRequest(user="u7")),
        "pause": lambda: client.pause(ids[next(numbers) % len(ids)]),
    }
    for name, call in work.items():
        call()
        before = cpu_seconds(pid)
        times = sorted(_seconds(call) for _ in range(CALLS))
        used = (cpu_seconds(pid) - before) / CALLS
        p50, p99 = times[CALLS // 2], times[-CALLS // 100]
        _tell(what=name, p50_ms=p50 * 1e3, p99_ms=p99 * 1e3, server_cpu_ms=used * 1e3)


def _watch(address: str, job: str, pipe: Path, pid: int) -> None:
    sizes = [str(number) for number in (WATCHERS, CHANNELS, EVENTS)]
    watchers = subprocess.Popen(
        [sys.executable, "-c", WATCHER, address, job, *sizes], stdout=subprocess.PIPE, text=True
    )
    assert watchers.stdout
    assert watchers.stdout.readline() == "ready\n"
    before = cpu_seconds(pid)
    with pipe.open("w") as asked:
        for _ in range(EVENTS):
            time.sleep(1.0)
            asked.write("now\n")
            asked.flush()
        late = sorted(float(one) for one in watchers.stdout.readline().split())
    watchers.wait()
    watchers.stdout.close()
    used = (cpu_seconds(pid) - before) / EVENTS
    _tell(
        what="event to the last of all watchers",
        watchers=WATCHERS,
        p50_ms=late[EVENTS // 2] * 1e3,
        slowest_ms=late[-1] * 1e3,
        server_cpu_ms=used * 1e3,
    )


def _first_steps(scratch: Path) -> None:
    """Measures how long a small training takes to its first step, with and without a reserve."""
    config = json.loads(_config(scratch))
    engine = _engine_seconds(config)
    for name, minutes in (("with a worker in reserve", "10"), ("without", "0")):
        folder = scratch / minutes
        place = ["--data-dir", str(folder), "--listen", "127.0.0.1:0", "--no-metrics"]
        more = ["--data-root", str(scratch), "--reserve-minutes", minutes]
        with (
            _server(folder, "-m", "dlae_server.main", *place, *more) as (address, _, _),
            Client(address) as client,
        ):
            times = [_first_step(client, config) for _ in range(ROUNDS)]
        beyond = statistics.median(times) - engine
        _tell(
            what=f"submission to first step {name}",
            seconds=statistics.median(times),
            engine_seconds=engine,
            beyond_seconds=beyond,
        )


def _first_step(client: Client, config: dict[str, Any]) -> float:
    # A worker that has just begun to load the engine is not in reserve yet.
    time.sleep(8.0)
    settle()
    start = time.perf_counter()
    job = client.train(config, "m")
    for event in client.watch(job.id):
        if event.HasField("step_finished") or event.HasField("epoch_finished"):
            seconds = time.perf_counter() - start
            break
    client.wait(job.id)
    return seconds


def _engine_seconds(config: dict[str, Any]) -> float:
    """Returns what the engine takes from a configuration to the first step, loaded already."""
    program = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "from dlae_core.config import load_config\n"
        "from dlae_core.training import train\n"
        "from dlae_core.events import StepFinished, TrainingStarted\n"
        "config = load_config(sys.stdin.read()).config\n"
        "start, told = time.perf_counter(), []\n"
        "def emit(event):\n"
        "    if isinstance(event, StepFinished) and not told:\n"
        "        told.append(time.perf_counter() - start)\n"
        "train(config, Path(sys.argv[1]), emit, lambda: False)\n"
        "print(told[0])\n"
    )
    times = []
    for _ in range(3):
        settle()
        with tempfile.TemporaryDirectory() as scratch:
            done = subprocess.run(
                [sys.executable, "-c", program, scratch],
                input=json.dumps(config),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                check=True,
            )
        times.append(float(done.stdout.split()[-1]))
    return statistics.median(times)


def _config(folder: Path) -> str:
    """Writes a few images; returns the configuration of a training on them."""
    write_bright_images(folder)
    return config_text(folder)


@contextmanager
def _server(folder: Path, *arguments: str) -> Iterator[tuple[str, float, int]]:
    """Runs a server; gives its address, the seconds that its start took, and its process id."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    card = folder / "server.json"
    while not card.exists():
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    try:
        yield json.loads(card.read_text())["listen"], seconds, process.pid
    finally:
        process.terminate()
        process.wait()


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) >> 10


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _tell(**row: object) -> None:
    shown = {
        key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()
    }
    print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
