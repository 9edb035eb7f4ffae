"""One job in one worker process, from its task to the last that is heard of it."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from dlae.v1 import training_pb2 as pb
from dlae_server.jobs.checkpoints import job_folder
from dlae_server.jobs.devices import Lease
from dlae_server.jobs.guard import Guard
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.kinds import kind_of
from dlae_server.jobs.logs import LOG_FILE
from dlae_server.jobs.process import TaskProcess
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.states import Job
from dlae_server.jobs.verdict import Verdict
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
STOPPING = (Job.STATE_CANCELLING, Job.STATE_PAUSING)


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        message: The worker's last message; `{"died": cause}` where it told no end.
        verdict: Why it was stopped, or what it died of where that is known; None otherwise.
    """

    message: dict[str, Any]
    verdict: Verdict | None = None


class Run:
    """A job that runs."""

    def __init__(self, settings: Settings, journal: Journal, reserve: Reserve, job: Job) -> None:
        self._settings = settings
        self._journal = journal
        self._reserve = reserve
        self._job = job
        self._process: TaskProcess | None = None

    def stop(self) -> None:
        """Asks the worker to stop at its next step."""
        if self._process:
            self._process.cancel()

    def kill(self) -> None:
        """Ends the worker at once."""
        if self._process:
            self._process.kill()

    async def follow(self, config: str, lease: Lease) -> Ending:
        """Has a worker do the job and records what it tells; returns how that ended."""
        try:
            return await self._followed(config, lease)
        except (OSError, ValueError, ParseError) as error:
            LOG.error("job %s: its worker cannot be followed", self._job.id, exc_info=error)
            text = "internal error; the server's log names it"
            return Ending({"failure": {"reason": "INTERNAL", "message": text}})
        finally:
            self.kill()

    async def _followed(self, config: str, lease: Lease) -> Ending:
        folder = job_folder(self._settings.data_dir, self._job.id)
        folder.mkdir(parents=True, exist_ok=True)
        process = await self._started(config, lease, folder)
        guard = Guard(self._job, process, self._settings)
        watch = asyncio.create_task(guard.watch())
        try:
            last = await self._recorded(process, guard)
            cause = await process.end()
        finally:
            watch.cancel()
        return Ending(last or {"died": cause}, guard.verdict or process.verdict)

    async def _started(self, config: str, lease: Lease, folder: Path) -> TaskProcess:
        log = folder / LOG_FILE
        task = {
            "task": kind_of(self._job).task,
            "config": config,
            "workspace": str(folder / "work"),
            "log": str(log),
            "devices": lease.as_values(),
        }
        process = self._process = await self._reserve.start(task, log)
        # Neither who stops the job nor who stops the server could reach the worker until now.
        if self._journal.stopping:
            process.kill()
        job = await self._journal.call(self._journal.store.job, self._job.id)
        if job.state in STOPPING:
            process.cancel()
        return process

    async def _recorded(self, process: TaskProcess, guard: Guard) -> dict[str, Any]:
        """Records the events of a worker; returns its last message, nothing where it told none."""
        last: dict[str, Any] = {}
        first = True
        async for message in process.messages():
            guard.told()
            if "event" not in message:
                last = message
                continue
            event = ParseDict(message["event"], pb.JobEvent())
            await self._journal.add_event(self._job.id, event)
            if first:
                # The next job finds a worker; this one has built its networks by now.
                self._reserve.fill_soon()
            first = False
        return last
