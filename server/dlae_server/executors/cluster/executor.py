"""The executor that runs jobs on a Ray cluster."""

import asyncio
import itertools
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae.v1 import training_pb2 as pb
from dlae_core.backbones.weight_files import FOLDER_VARIABLE
from dlae_server.confinement.environment import DATA_DIR, DATA_ROOTS, NETWORK, SWITCH
from dlae_server.errors import CannotStart, InvalidRequest
from dlae_server.executors.cluster.link import DRIVER, Link
from dlae_server.executors.cluster.needs import Capacity, Share, hardware_of, needs_of
from dlae_server.executors.cluster.remote import RemoteWorker
from dlae_server.executors.executor import Executor, Worker
from dlae_server.jobs.process import WORKER
from dlae_server.settings import Settings

if TYPE_CHECKING:
    from dlae_server.executors.cluster.depot import Depot

# What a worker must know of the server's folders, wherever it runs.
PASSED = (DATA_DIR, DATA_ROOTS, SWITCH, FOLDER_VARIABLE)
# Libraries take all cores of a node otherwise.
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What trains on several machines, as configurations say it.
TOGETHER = "multi-gpu"
LOST = "the connection to the cluster was lost"


class Cluster(Executor):
    """Gives to Ray what fits in, in the order of the queue; Ray decides on which nodes."""

    def __init__(
        self,
        settings: Settings,
        command: tuple[str, ...] = WORKER,
        driver: tuple[str, ...] = DRIVER,
    ) -> None:
        """Prepares it.

        Args:
            settings: Where the cluster is, and what a job gets that asks for nothing.
            command: Program of the workers.
            driver: Program that knows Ray.

        Raises:
            CannotStart: There is no such object store.
        """
        self._settings = settings
        self._command = command
        self._capacity: Capacity | None = None
        self._taken: dict[str, Share] = {}
        self._workers: dict[int, RemoteWorker] = {}
        self._numbers = itertools.count(1)
        self._changed: Callable[[], None] = lambda: None
        log = settings.data_dir / "cluster.log"
        self._depot = _depot_of(settings)
        self._link = Link(settings.ray_address, log, self._heard, self._lost, driver)

    @property
    def is_full(self) -> bool:
        """Whether as many jobs run as may, or the cluster does not answer."""
        return self._capacity is None or len(self._taken) >= self._settings.running_jobs

    def obstacle(self, options: pb.JobOptions) -> str:
        """Returns why a job cannot begin: the cluster does not answer, or has lost such nodes."""
        if self._capacity is None:
            return f"waits for the Ray cluster {self._settings.ray_address}, which does not answer"
        if self._capacity.meets(options):
            return ""
        return f"waits for nodes of the cluster with {_asked(options)}, where {self._capacity}"

    async def open(self, changed: Callable[[], None]) -> None:
        """Begins to connect to the cluster."""
        self._changed = changed
        self._link.open()

    def check(self, job: pb.Job, config: str) -> None:
        """Refuses what no node has, as far as the cluster is known.

        Raises:
            InvalidRequest: More is asked for than there is, or several machines for what one does.
        """
        options = job.options
        machines = max(options.machines, 1)
        if machines > 1 and (job.kind != pb.Job.KIND_TRAINING or hardware_of(config) != TOGETHER):
            raise InvalidRequest(
                f"expected options.machines of 1 but for trainings with hardware '{TOGETHER}', "
                f"got {machines}"
            )
        if self._capacity and not self._capacity.meets(options):
            raise InvalidRequest(
                "expected options that nodes of the cluster can meet, got "
                f"{_asked(options)}, where {self._capacity}; ask for less, or again in some "
                "seconds where a node has just joined"
            )

    def take(self, job_id: str, options: pb.JobOptions, config: str) -> bool:
        """Counts what a job needs as taken; returns False where that is not free."""
        if self._capacity is None or self.is_full:
            return False
        has_gpus = any(node.gpus for node in self._capacity.nodes)
        needs = needs_of(options, config, self._settings.ray_cores, has_gpus)
        share = Share(needs, max(options.machines, 1))
        taken = [one.whole for one in self._taken.values()]
        if not self._capacity.has_room_for(share.whole, taken):
            return False
        self._taken[job_id] = share
        return True

    def give_back(self, job_id: str) -> None:
        """Takes back what a job had."""
        self._taken.pop(job_id, None)

    async def start(self, job_id: str, task: dict[str, Any], log: Path) -> Worker:
        """Has Ray start a worker with a task."""
        number = next(self._numbers)

        def tell(what: str) -> None:
            self._link.tell({what: number})

        worker, place = RemoteWorker(tell, log), None
        if self._depot:
            try:
                place = await asyncio.to_thread(self._depot.send, job_id, task)
            except OSError as error:
                worker.finish(f"its files cannot be brought to the object store: {error}", None)
                return worker
            worker.collect = partial(self._depot.collect, job_id)
        if self._capacity is None:
            worker.lose(LOST)
            return worker
        self._workers[number] = worker
        order = self._order(self._taken[job_id], {**task, "log": str(log)})
        self._link.tell({"start": number, **order, **({"store": place} if place else {})})
        return worker

    def expect_more(self) -> None:
        """Does nothing: no worker waits on a node."""

    async def close(self) -> None:
        """Lets go of the cluster."""
        await self._link.close()

    def _order(self, share: Share, task: dict[str, Any]) -> dict[str, Any]:
        """Returns what the driver is told of a task."""
        environment = {name: os.environ[name] for name in PASSED if name in os.environ}
        environment |= dict.fromkeys(THREADS, str(max(round(share.needs.cores), 1)))
        if share.machines > 1:
            environment[NETWORK] = "on"
        # A node has its own interpreter.
        command = ["" if part == sys.executable else part for part in self._command]
        values = {"share": share.as_values(), "environment": environment}
        return {"command": command, "task": task, **values}

    def _heard(self, line: dict[str, Any]) -> None:
        if "cluster" in line:
            self._capacity = Capacity.of(line["cluster"])
            self._changed()
            return
        worker = self._workers.get(line["run"])
        if worker:
            worker.hear(line)
        if "end" in line:
            self._workers.pop(line["run"], None)

    def _lost(self) -> None:
        """Hears that the driver is gone, and with it all workers."""
        self._capacity = None
        workers, self._workers = self._workers, {}
        for worker in workers.values():
            worker.lose(LOST)


def _asked(options: pb.JobOptions) -> str:
    return (
        f"cores={options.cores}, gpus={options.gpus}, "
        f"memory_limit_bytes={options.memory_limit_bytes}, machines={max(options.machines, 1)}"
    )


def _depot_of(settings: Settings) -> "Depot | None":
    if settings.ray_store is None:
        return None
    try:
        from dlae_server.executors.cluster.depot import Depot  # noqa: PLC0415 - needs fsspec

        return Depot(settings.ray_store, settings.data_dir)
    except (ImportError, ValueError) as error:
        raise CannotStart(
            "expected for --ray-store a folder of an object store that fsspec knows, got "
            f"{settings.ray_store}: {error}"
        ) from error
