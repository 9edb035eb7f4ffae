"""Question: what does a job cost on a Ray cluster beyond one on this machine, and is any lost?

Short jobs, two at a time: a server with the worker processes of this machine, then one with a
cluster of two nodes on it. The workers are real ones around a fake engine, without TensorFlow and
without a reserve. The time of a job is twice that from the first to the last job, by their number.
On the cluster 200 jobs: the first hundred undisturbed, then three times a node is killed, and
another started.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.quiet import settle
from dlae_client import Client
from dlae_server.jobs.states import Job
from tests.ray_cluster import ray_cluster
from tests.sessions import config_text

JOBS, COMPARED, AT_ONCE, KILLS = 200, 100, 2, 3
FAKES = Path(__file__).parents[1] / "tests" / "dlae_server" / "fakes.py"
SERVER = """
import asyncio, sys
from pathlib import Path
from dlae_server.app import Commands
from dlae_server.main import serve_until_signal
from dlae_server.settings import Settings
folder, executor, address, fakes = sys.argv[1:]
folder = Path(folder)
settings = Settings("127.0.0.1:0", folder, (folder.parent,), None, running_jobs=2,
                    reserve_seconds=0, executor=executor, ray_address=address)
command = (sys.executable, fakes, "task")
asyncio.run(serve_until_signal(settings, Commands(task=command)))
"""


def main() -> None:
    """Prints one line of JSON per measurement."""
    with tempfile.TemporaryDirectory() as scratch, ray_cluster() as cluster:
        folder = Path(scratch)
        for name in ("X.h5", "masks.h5", "classes.h5"):
            (folder / name).touch()
        (folder / "behaviour").write_text("succeed")
        cluster.start_head()
        node = cluster.start_node()
        settle()
        with _server(folder, "local", "") as client:
            here = _measure(client, folder, "on this machine", COMPARED)
        with _server(folder, "ray", cluster.address) as client:
            there = _measure(client, folder, "on two nodes of a cluster", COMPARED)
            _tell(what="a job on the cluster beyond one here", seconds=there - here)
            ids = _submitted(client, folder, JOBS - COMPARED)
            for part in range(1, KILLS + 1):
                _wait(client, ids[: part * len(ids) // (KILLS + 1)])
                cluster.kill(node)
                node = cluster.start_node()
            jobs = _wait(client, ids)
        again = sum(job.attempt > 1 for job in jobs)
        lost = sum(job.state != Job.STATE_SUCCEEDED for job in jobs)
        _tell(what="nodes killed", kills=KILLS, jobs=len(jobs), begun_again=again, lost=lost)


def _measure(client: Client, folder: Path, where: str, number: int) -> float:
    """Returns the seconds that a job takes of one of the places."""
    _wait(client, _submitted(client, folder, AT_ONCE))
    start = time.perf_counter()
    jobs = _wait(client, _submitted(client, folder, number))
    seconds = (time.perf_counter() - start) / number * AT_ONCE
    lost = sum(job.state != Job.STATE_SUCCEEDED for job in jobs)
    _tell(what=f"a job {where}", seconds=seconds, jobs=number, lost=lost)
    return seconds


def _submitted(client: Client, folder: Path, number: int) -> list[str]:
    config = json.loads(config_text(folder))
    return [client.train(config, "m").id for _ in range(number)]


def _wait(client: Client, ids: list[str]) -> list[Job]:
    """Returns jobs when all have ended."""
    for job_id in ids:
        for _ in client.watch(job_id):
            continue
    return [client.status(job_id) for job_id in ids]


@contextmanager
def _server(folder: Path, executor: str, address: str) -> Iterator[Client]:
    """Gives a client of a server."""
    data_dir = folder / executor
    arguments = [str(data_dir), executor, address, str(FAKES)]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, *arguments], stderr=subprocess.DEVNULL
    )
    card = data_dir / "server.json"
    while not card.exists():
        time.sleep(0.01)
    try:
        with Client(json.loads(card.read_text())["listen"]) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def _tell(**row: object) -> None:
    shown = {
        key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()
    }
    print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
