"""The workers of jobs as processes of this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest
from dlae_server.executors.executor import Executor, Worker
from dlae_server.jobs.devices import Devices
from dlae_server.jobs.reserve import Reserve
from dlae_server.settings import Settings


class Local(Executor):
    """Lends the cores and GPUs of this machine to its processes."""

    def __init__(self, settings: Settings, reserve: Reserve) -> None:
        """Uses a reserve that others use too; who made it closes it."""
        self._settings = settings
        self._reserve = reserve
        self._devices = Devices(settings)

    @property
    def is_full(self) -> bool:
        """Whether as many jobs run as may."""
        return self._devices.is_full

    def obstacle(self, options: pb.JobOptions) -> str:
        """Returns nothing: what there is stays."""
        return ""

    async def open(self, changed: Callable[[], None]) -> None:
        """Has a worker wait where the settings say so. There is room when a job ends only."""
        if self._settings.reserve_at_start:
            self._reserve.fill_soon()

    def check(self, job: pb.Job, config: str) -> None:
        """Refuses what will never be free.

        Raises:
            InvalidRequest: More is asked for than there is.
        """
        if job.options.machines > 1:
            raise InvalidRequest(
                "expected options.machines of at most 1, as this server's jobs run on its own "
                f"machine, got {job.options.machines}; --executor ray has more"
            )
        self._devices.check(job.options)

    def take(self, job_id: str, options: pb.JobOptions, config: str) -> bool:
        """Lends a job what it needs; returns False where that is not free."""
        return self._devices.take(job_id, options, config) is not None

    def give_back(self, job_id: str) -> None:
        """Takes back what a job had."""
        self._devices.give_back(job_id)

    async def start(self, job_id: str, task: dict[str, Any], log: Path) -> Worker:
        """Has a process do a task: the waiting one, or a new one.

        Raises:
            OSError: None can be started.
        """
        devices = self._devices.lease(job_id).as_values()
        return await self._reserve.start({**task, "log": str(log), "devices": devices}, log)

    def expect_more(self) -> None:
        """Has a worker wait for the next job."""
        self._reserve.fill_soon()

    async def close(self) -> None:
        """Does nothing: every job ends its own worker."""
