"""One job in one worker process, from its task to the last that is heard of it."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from dlae.v1 import training_pb2 as pb
from dlae_server.executors.executor import Executor, Worker
from dlae_server.jobs.checkpoints import job_folder
from dlae_server.jobs.guard import Guard
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.kinds import kind_of
from dlae_server.jobs.logs import LOG_FILE
from dlae_server.jobs.states import Job
from dlae_server.jobs.verdict import Verdict
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
STOPPING = (Job.STATE_CANCELLING, Job.STATE_PAUSING)
# What a failure tells.
_TOLD = ("reason", "message")


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

    def __init__(self, settings: Settings, journal: Journal, executor: Executor, job: Job) -> None:
        self._settings = settings
        self._journal = journal
        self._executor = executor
        self._job = job
        self._worker: Worker | None = None
        self._patience: asyncio.TimerHandle | None = None

    def stop(self, state: "Job.State") -> None:
        """Asks the worker to stop at its next step; one that does not is ended, if for good.

        Args:
            state: Of the job now: whether it is cancelled, or paused.
        """
        if self._worker is None:
            return
        self._worker.cancel()
        # What a job has not kept is lost to one that pauses, and to nobody where it is cancelled.
        if state == Job.STATE_CANCELLING and self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._settings.grace_seconds, self._worker.kill)

    def kill(self) -> None:
        """Ends the worker at once."""
        if self._worker:
            self._worker.kill()

    async def follow(self, config: str) -> Ending:
        """Has a worker do the job and records what it tells; returns how that ended."""
        try:
            return await self._followed(config)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ParseError) as error:
            LOG.error("job %s: its worker cannot be followed", self._job.id, exc_info=error)
            text = "internal error; the server's log names it"
            return Ending({"failure": {"reason": "INTERNAL", "message": text}})
        finally:
            self.kill()
            if self._patience:
                self._patience.cancel()

    async def _followed(self, config: str) -> Ending:
        folder = job_folder(self._settings.data_dir, self._job.id)
        folder.mkdir(parents=True, exist_ok=True)
        worker = await self._started(config, folder)
        guard = Guard(self._job, worker, self._settings)
        watch = asyncio.create_task(guard.watch())
        try:
            last = await self._recorded(worker, guard)
            await asyncio.to_thread(require_own, last, folder)
            cause = await worker.end()
        finally:
            watch.cancel()
        return Ending(last or {"died": cause}, guard.verdict or worker.verdict)

    async def _started(self, config: str, folder: Path) -> Worker:
        task = {
            "task": kind_of(self._job).task,
            "config": config,
            "workspace": str(folder / "work"),
        }
        start = self._executor.start(self._job.id, task, folder / LOG_FILE)
        worker = self._worker = await start
        # Neither who stops the job nor who stops the server could reach the worker until now.
        if self._journal.stopping:
            worker.kill()
        job = await self._journal.call(self._journal.store.job, self._job.id)
        if job.state in STOPPING:
            self.stop(job.state)
        return worker

    async def _recorded(self, worker: Worker, guard: Guard) -> dict[str, Any]:
        """Records the events of a worker; returns its last message, nothing where it told none."""
        last: dict[str, Any] = {}
        first = True
        async for message in worker.messages():
            guard.told()
            if not isinstance(message, dict):
                raise ValueError("a worker tells what is no message")
            if "event" not in message:
                last = message
                continue
            event = ParseDict(message["event"], pb.JobEvent())
            await self._journal.add_event(self._job.id, event)
            if first:
                # The next job finds a worker; this one has built its networks by now.
                self._executor.expect_more()
            first = False
        return last


def require_own(message: dict[str, Any], folder: Path) -> None:
    """Refuses a last message that no worker of ours sends: a file may have taken it over.

    Args:
        message: What it told last.
        folder: That of its job.

    Raises:
        ValueError: It is of another form, or names files that are not the job's own.
    """
    failure, result = message.get("failure"), message.get("result")
    if failure is not None and not all(isinstance(failure[one], str) for one in _TOLD):
        raise ValueError("a failure of another form")
    if result is None:
        return
    (path,) = map(Path, result.values())
    inside = path.iterdir() if path.is_dir() else ()
    # A link in it would be handed out as what it leads to.
    if any(one.is_symlink() for one in (path, *inside)):
        raise ValueError("a worker hands over links")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError("a worker names a file that is not its own")
