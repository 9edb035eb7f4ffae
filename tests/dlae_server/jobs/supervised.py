"""A supervisor in this process, with workers that are a few lines of Python."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlae.v1 import training_pb2 as pb
from dlae_server.executors.executor import Executor
from dlae_server.executors.local import Local
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.states import Job
from dlae_server.jobs.supervisor import Supervisor
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings

# Tells what it may use, then waits until it is asked to stop.
WAITS = (
    "import json, sys; task = json.loads(input()); sys.stderr.write('began\\n');"
    "told = {'warned': {'message': json.dumps(task['devices'])}};"
    "print(json.dumps({'event': told}), flush=True);"
    "input(); print(json.dumps({'cancelled': True}))"
)
DEAF = "import time; input(); time.sleep(60)"
GREEDY = "import time; input(); data = bytearray(150 << 20); time.sleep(60)"


class Supervised:
    """A running supervisor.

    Attributes:
        supervisor: Itself.
        executor: Where its workers run.
        journal: Its journal.
    """

    def __init__(self, settings: Settings, program: str, executor: Executor | None = None) -> None:
        metrics = Metrics()
        self.journal = Journal(settings, metrics)
        self._reserve = Reserve(settings, (sys.executable, "-S", "-c", program))
        self.executor = executor or Local(settings, self._reserve)
        self.supervisor = Supervisor(settings, metrics, self.journal, self.executor)

    async def start(self) -> None:
        """Starts it."""
        self._work = await self.supervisor.start()

    async def stop(self) -> None:
        """Stops it."""
        await self.journal.stop()
        self.supervisor.kill()
        await self._work
        await self._reserve.close()
        await self.journal.close()

    async def submit(self, name: str = "m", config: str = "{}", **options: Any) -> str:
        """Submits a job; returns its id."""
        job = Job(name=name, kind=Job.KIND_TRAINING, options=pb.JobOptions(**options))
        return (await self.supervisor.submit(job, config)).id

    async def job(self, job_id: str) -> Job:
        """Returns a job as it is now."""
        return await self.journal.call(self.journal.store.job, job_id)

    async def reaches(self, job_id: str, *states: "Job.State") -> Job:
        """Returns a job when it is in one of some states."""
        async with asyncio.timeout(15):
            while (job := await self.job(job_id)).state not in states:
                await asyncio.sleep(0.01)
        return job

    async def devices(self, job_id: str) -> str:
        """Returns what the worker of a job was told that it may use."""
        async with asyncio.timeout(15):
            async for event in self.journal.watch(job_id, 0):
                if event and event.HasField("warned"):
                    return event.warned.message
        raise AssertionError


def supervise(
    folder: Path, program: str, use: Callable[[Supervised], Awaitable[None]], **settings: Any
) -> None:
    """Runs a supervisor for as long as it is used."""

    async def run() -> None:
        plain = Settings("127.0.0.1:0", folder, (folder,), None, reserve_seconds=0)
        supervised = Supervised(replace(plain, **settings), program)
        await supervised.start()
        try:
            await use(supervised)
        finally:
            await supervised.stop()

    asyncio.run(run())
