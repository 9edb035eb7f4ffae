"""The supervisor: takes jobs through their lives."""

import asyncio
import logging
import secrets
import shutil
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_core.errors import DlaeError, StorageFailed
from dlae_server.errors import JobFinished, JobNotFound, QueueFull, ShuttingDown
from dlae_server.jobs.checkpoints import CHECKPOINT_FILE, bundle_folder, job_folder
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.kinds import kind_of
from dlae_server.jobs.process import WORKER, TaskProcess
from dlae_server.jobs.results import stored
from dlae_server.jobs.states import FINISHED, NAMES, Job, enter, now, succeed_with
from dlae_server.metrics import Metrics
from dlae_server.models.registry import model_from_bundle
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
# Starts in a row that got no further than one before.
STALLS = 3
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Supervisor:
    """Runs jobs, one after the other, each in a worker process."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        journal: Journal,
        command: tuple[str, ...] = WORKER,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._journal = journal
        self._command = command
        self._process: TaskProcess | None = None
        self._running = ""

    async def start(self) -> "asyncio.Task[None]":
        """Puts right what a crash left behind; returns the task that works through the queue."""
        call, store = self._journal.call, self._journal.store
        for job in await call(store.in_state, Job.STATE_CANCELLING):
            await self._journal.finish(job.id, Job.STATE_CANCELLED)
        for job in await call(store.in_state, Job.STATE_RUNNING):
            if job.stalls < STALLS:
                await self._requeue(job.id, kind_of(job).interrupted)
            else:
                message = (
                    f"the server stopped {job.stalls} times in a row while this job was running, "
                    "which got no further in between"
                )
                error = pb.JobError(reason="SERVER_STOPPED", message=message)
                await self._journal.finish(job.id, Job.STATE_FAILED, error)
        await self._journal.count()
        await self._sweep()
        return asyncio.create_task(self._work())

    def kill(self) -> None:
        """Ends the running worker; its job goes back to the queue where the server is stopping."""
        if self._process:
            self._process.kill()

    async def submit(self, job: Job, config: str) -> Job:
        """Records a job; it is on disk when this returns.

        Args:
            job: Its name, its kind and, where it predicts with one, its model.
            config: What it is to do.

        Raises:
            QueueFull: Too many jobs are waiting.
            ShuttingDown: The server is stopping.
            StorageFailed: The disk is nearly full.
        """
        if self._journal.stopping:
            raise ShuttingDown
        call, store = self._journal.call, self._journal.store
        counts = await call(store.count_by_state)
        if counts.get(Job.STATE_QUEUED, 0) >= self._settings.queued_jobs:
            raise QueueFull("jobs", self._settings.queued_jobs)
        if shutil.disk_usage(self._settings.data_dir).free < self._settings.free_bytes:
            raise StorageFailed("the server's disk is nearly full; no job can be accepted")
        while await call(store.has_job, job_id := _new_id(job.name)):
            continue
        new = Job(id=job_id, name=job.name, kind=job.kind, model=job.model, create_time=now())
        return await self._journal.add(new, config)

    async def cancel(self, job_id: str) -> Job:
        """Asks a job to stop.

        Raises:
            JobNotFound: There is no such job.
            JobFinished: It has ended.
        """
        job = await self._journal.change(job_id, _cancel)
        if job.state == Job.STATE_CANCELLING and self._process and self._running == job_id:
            self._process.cancel()
        return job

    async def _work(self) -> None:
        while job := await self._journal.next_queued():
            job = await self._journal.change(job.id, _begin)
            if job.state == Job.STATE_RUNNING:
                await self._run(job)

    async def _run(self, job: Job) -> None:
        folder = job_folder(self._settings.data_dir, job.id)
        try:
            message = await self._followed(job, folder)
        except (OSError, ValueError, ParseError) as error:
            LOG.error("job %s: its worker cannot be followed", job.id, exc_info=error)
            text = "internal error; the server's log names it"
            message = {"failure": {"reason": "INTERNAL", "message": text}}
        finally:
            self.kill()
            self._running, self._process = "", None
        await self._end(job.id, message)
        ended = await self._journal.call(self._journal.store.job, job.id)
        if ended.state in FINISHED:
            await asyncio.to_thread(_tidy, folder)

    async def _followed(self, job: Job, folder: Path) -> dict[str, Any]:
        """Starts a worker and records its events; returns its last message."""
        folder.mkdir(parents=True, exist_ok=True)
        call, store, job_id = self._journal.call, self._journal.store, job.id
        config = await call(store.config, job_id)
        task = {"task": kind_of(job).task, "config": config, "workspace": str(folder / "work")}
        self._running = job_id
        self._process = await TaskProcess.start(task, folder / "worker.log", self._command)
        # Neither who cancels nor who stops the server could reach the worker until now.
        if self._journal.stopping:
            self._process.kill()
        if (await call(store.job, job_id)).state == Job.STATE_CANCELLING:
            self._process.cancel()
        last: dict[str, Any] = {}
        async for message in self._process.messages():
            if "event" in message:
                await self._journal.add_event(job_id, ParseDict(message["event"], pb.JobEvent()))
            else:
                last = message
        cause = await self._process.end()
        return last or {"died": cause}

    async def _end(self, job_id: str, message: dict[str, Any]) -> None:
        """Brings a job into the state that the last message of its worker means."""
        if "bundle" in message.get("result", {}):
            await self._succeed(job_id, Path(message["result"]["bundle"]))
        elif "result" in message:
            await self._keep(job_id, Path(message["result"]["file"]))
        elif "failure" in message:
            failure = message["failure"]
            sentence = failure["message"] + self._way_on(job_id)
            error = pb.JobError(reason=failure["reason"], message=sentence)
            await self._journal.finish(job_id, Job.STATE_FAILED, error)
        elif "died" in message:
            await self._died(job_id, message["died"])
        else:
            await self._journal.finish(job_id, Job.STATE_CANCELLED)

    async def _died(self, job_id: str, cause: str) -> None:
        job = await self._journal.call(self._journal.store.job, job_id)
        if job.state == Job.STATE_CANCELLING:
            await self._journal.finish(job_id, Job.STATE_CANCELLED)
            return
        if self._journal.stopping:
            await self._requeue(job_id, kind_of(job).interrupted)
            return
        self._metrics.restarts.labels("job_died").inc()
        if job.stalls < STALLS:
            LOG.warning("job %s: %s", job_id, cause)
            await self._requeue(job_id, kind_of(job).stopped(cause))
        else:
            message = f"{kind_of(job).work} stopped: {cause}{self._way_on(job_id)}"
            error = pb.JobError(reason="WORKER_DIED", message=message)
            await self._journal.finish(job_id, Job.STATE_FAILED, error)

    def _way_on(self, job_id: str) -> str:
        """Returns how to go on from a failed job's last checkpoint, where there is one."""
        recovery = job_folder(self._settings.data_dir, job_id) / "work" / "recovery"
        if not any(recovery.glob("*.dlae")):
            return ""
        return (
            f"; its last checkpoint is kept: type_signal 'Train from Checkpoint' with "
            f"load_checkpoint 'job:{job_id}' goes on from it"
        )

    async def _succeed(self, job_id: str, bundle: Path) -> None:
        """Moves the bundle to its place, then tells of it."""
        job = await self._journal.call(self._journal.store.job, job_id)
        target = bundle_folder(self._settings.data_dir, job_id)
        try:
            model = await asyncio.to_thread(_stored, bundle, target, job)
        except (OSError, DlaeError) as error:
            await self._fail_to_store(job_id, "trained model", error)
        else:
            await self._journal.finish_with_model(model)

    async def _keep(self, job_id: str, file: Path) -> None:
        """Moves what a session of inference wrote to its place, then tells of it."""
        try:
            result = await asyncio.to_thread(stored, file, self._settings.data_dir, job_id)
        except OSError as error:
            await self._fail_to_store(job_id, "file of predictions", error)
        else:
            await self._journal.change(job_id, lambda job: succeed_with(job, result))

    async def _fail_to_store(self, job_id: str, what: str, error: Exception) -> None:
        LOG.error("job %s: its %s cannot be stored", job_id, what, exc_info=error)
        message = f"the {what} cannot be stored; look at the disk of the server"
        failure = pb.JobError(reason=StorageFailed.reason, message=message)
        await self._journal.finish(job_id, Job.STATE_FAILED, failure)

    async def _requeue(self, job_id: str, message: str) -> None:
        await self._journal.change(job_id, lambda job: _wait_again(job, message))

    async def _sweep(self) -> None:
        """Tidies up after jobs that ended just before the server did."""
        for work in (self._settings.data_dir / "jobs").glob("*/work"):
            try:
                job = await self._journal.call(self._journal.store.job, work.parent.name)
            except JobNotFound:
                continue
            if job.state in FINISHED:
                await asyncio.to_thread(_tidy, work.parent)


def _new_id(name: str) -> str:
    return f"{name}-" + "".join(secrets.choice(ALPHABET) for _ in range(4))


def _begin(job: Job) -> pb.JobEvent | None:
    """Begins a job that still waits: it may have been cancelled since it was seen."""
    return enter(job, Job.STATE_RUNNING) if job.state == Job.STATE_QUEUED else None


def _wait_again(job: Job, message: str) -> pb.JobEvent:
    """Puts a job back whose worker is gone; it may have been cancelled meanwhile."""
    if job.state == Job.STATE_CANCELLING:
        return enter(job, Job.STATE_CANCELLED)
    return enter(job, Job.STATE_QUEUED, message=message)


def _cancel(job: Job) -> pb.JobEvent | None:
    if job.state in FINISHED:
        raise JobFinished(job.id, NAMES[job.state])
    if job.state == Job.STATE_CANCELLING:
        return None
    waits = job.state == Job.STATE_QUEUED
    return enter(job, Job.STATE_CANCELLED if waits else Job.STATE_CANCELLING)


def _tidy(folder: Path) -> None:
    """Leaves of a job's work its last checkpoint, from which another job may go on."""
    checkpoints = sorted((folder / "work" / "recovery").glob("*.dlae"))
    if checkpoints:
        checkpoints[-1].replace(folder / CHECKPOINT_FILE)
    shutil.rmtree(folder / "work", ignore_errors=True)


def _stored(bundle: Path, target: Path, job: Job) -> models_pb2.Model:
    """Moves a bundle to its place; returns it as a model."""
    # What an earlier attempt left there was never told of.
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(exist_ok=True)
    shutil.move(bundle, target)
    return model_from_bundle(target, job)
