"""The journal: every change of a job, written to the store, counted, and told to who watches."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_core.errors import StorageFailed
from dlae_server.errors import ShuttingDown
from dlae_server.jobs.kinds import KINDS, kind_of
from dlae_server.jobs.progress import note
from dlae_server.jobs.states import FINISHED, NAMES, Job, enter, now, seconds_between
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE

Result = TypeVar("Result")

LOG = logging.getLogger(__name__)


class Journal:
    """The store behind its one thread. What it tells is on disk already.

    Attributes:
        store: To be used through `call` only.
        stopping: Whether the server is stopping: nobody may wait any longer.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._heartbeat_seconds = settings.heartbeat_seconds
        self._metrics = metrics
        self._changed = asyncio.Condition()
        self._changes = 0
        self._closed = False
        self.stopping = False
        try:
            self.store = Store(settings.data_dir / STORE_FILE)
        except sqlite3.Error as error:
            raise _storage_failed(error) from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Runs a method of the store in the one thread that uses it.

        Raises:
            ShuttingDown: The store is closed.
            StorageFailed: The store cannot be read or written.
        """
        if self._closed:
            raise ShuttingDown
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, function, *arguments)
        except sqlite3.Error as error:
            raise _storage_failed(error) from error

    async def stop(self) -> None:
        """Ends all watches."""
        self.stopping = True
        await self._notify()

    async def close(self) -> None:
        """Closes the store."""
        await self.call(self.store.close)
        self._closed = True
        self._thread.shutdown()

    async def add(self, job: Job, config: str) -> Job:
        """Records a new job."""
        event = enter(job, Job.STATE_QUEUED)
        job = await self.call(self.store.add_job, job, config, event)
        await self._told(job)
        return job

    async def change(self, job_id: str, change: Callable[[Job], pb.JobEvent | None]) -> Job:
        """Brings a job into another state.

        Args:
            job_id: Identifier of the job.
            change: Decides from the job as it is on disk; see `Store.record`.
        """
        job, event = await self.call(self.store.record, job_id, change)
        if event:
            await self._told(job)
        return job

    async def finish(
        self, job_id: str, state: "Job.State", error: pb.JobError | None = None
    ) -> Job:
        """Ends a job, unless it has ended."""
        return await self.change(
            job_id, lambda job: None if job.state in FINISHED else enter(job, state, error)
        )

    async def finish_with_model(self, model: models_pb2.Model) -> Job:
        """Stores a model and ends the job that made it."""
        job = await self.call(self.store.record_model, model)
        await self._told(job)
        return job

    async def add_event(self, job_id: str, event: pb.JobEvent) -> None:
        """Records what a worker tells of its job, but for an epoch that has been told of before."""

        def change(job: Job) -> pb.JobEvent | None:
            if event.HasField("epoch_finished") and self._is_told(job, event.epoch_finished):
                return None
            note(job, event, self._metrics)
            return event

        event.time.CopyFrom(now())
        await self.call(self.store.record, job_id, change)
        await self._notify()

    async def count(self) -> None:
        """Brings the number of jobs by kind and state up to date in the metrics."""
        counts = await self.call(self.store.count_by_kind)
        for kind, row in KINDS.items():
            for state, name in NAMES.items():
                self._metrics.jobs.labels(row.task, name).set(counts.get((kind, state), 0))

    async def next_queued(self) -> Job | None:
        """Waits for the oldest waiting job; returns None where the server is stopping."""
        while not self.stopping:
            seen = self._changes
            queued = await self.call(self.store.in_state, Job.STATE_QUEUED)
            if queued:
                return queued[0]
            await self._change_after(seen, None)
        return None

    async def watch(self, job_id: str, after: int) -> AsyncIterator[pb.JobEvent | None]:
        """Yields a job's events from after a sequence number, and None as a heartbeat.

        Raises:
            JobNotFound: There is no such job.
            ShuttingDown: The server is stopping.
        """
        told = time.monotonic()
        while True:
            seen = self._changes
            job = await self.call(self.store.job, job_id)
            events = await self.call(self.store.events, job_id, after)
            for event in events:
                after = event.sequence
                yield event
            if job.state in FINISHED and after >= job.last_sequence:
                return
            if self.stopping:
                raise ShuttingDown
            if events:
                told = time.monotonic()
                continue
            rest = told + self._heartbeat_seconds - time.monotonic()
            if not await self._change_after(seen, max(rest, 0.0)):
                yield None
                told = time.monotonic()

    def _is_told(self, job: Job, epoch: pb.EpochFinished) -> bool:
        """Returns whether the log says the same of an epoch, as it does where training went back.

        Runs in the store's thread.
        """
        if epoch.progress.epoch > job.epochs_done:
            return False
        told = self.store.epoch(job.id, epoch.progress.epoch)
        return told is not None and dict(told.metrics) == dict(epoch.metrics)

    async def _change_after(self, seen: int, seconds: float | None) -> bool:
        """Waits until any job has changed since `seen`; returns whether one has in time."""
        async with self._changed:
            changed = self._changed.wait_for(lambda: self._changes != seen)
            try:
                await asyncio.wait_for(changed, seconds)
            except TimeoutError:
                return False
        return True

    async def _told(self, job: Job) -> None:
        """Counts a transition that is on disk, and wakes who waits for it."""
        name, kind = NAMES[job.state], kind_of(job).task
        LOG.info("job %s: %s", job.id, name)
        self._metrics.transitions.labels(kind, name).inc()
        if job.state == Job.STATE_RUNNING and job.attempt == 1:
            self._metrics.queue_wait.observe(seconds_between(job.create_time, job.start_time))
        if job.state in FINISHED:
            self._metrics.forget_training(job.id)
            if job.HasField("start_time"):
                seconds = seconds_between(job.start_time, job.end_time)
                self._metrics.job_duration.labels(kind, name).observe(seconds)
        await self.count()
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()


def _storage_failed(error: sqlite3.Error) -> StorageFailed:
    return StorageFailed(
        f"the server's database cannot be used: {error}; look at the disk of its data folder"
    )
