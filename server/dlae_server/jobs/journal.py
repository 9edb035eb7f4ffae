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
from dlae_server.audit.provenance import facts_of
from dlae_server.audit.recording import OFF, Audit
from dlae_server.errors import ShuttingDown
from dlae_server.jobs.feed import Feed
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
        heartbeat_seconds: Time between heartbeats of those who wait.
        moves: Jobs that enter a state.
        audit: Where it is told what becomes of models and jobs.
    """

    def __init__(self, settings: Settings, metrics: Metrics, audit: Audit = OFF) -> None:
        self.audit = audit
        self.heartbeat_seconds = settings.heartbeat_seconds
        self._metrics = metrics
        self.moves = Feed()
        self._feeds: dict[str, Feed] = {}
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
        for feed in (self.moves, *self._feeds.values()):
            feed.wake()

    def require_running(self) -> None:
        """Raises `ShuttingDown` where the server is stopping."""
        if self.stopping:
            raise ShuttingDown

    async def close(self) -> None:
        """Closes the store."""
        await self.call(self.store.close)
        self._closed = True
        self._thread.shutdown()

    async def add(self, job: Job, config: str, request: str = "") -> Job:
        """Records a new job; or returns the one that the same request has made before."""
        event = enter(job, Job.STATE_QUEUED)
        added = await self.call(self.store.add_job, job, config, event, request)
        if added.id == job.id:
            await self._told(added, event)
        return added

    async def change(self, job_id: str, change: Callable[[Job], pb.JobEvent | None]) -> Job:
        """Brings a job into another state.

        Args:
            job_id: Identifier of the job.
            change: Decides from the job as it is on disk; see `Store.record`.
        """
        job, event = await self.call(self.store.record, job_id, change)
        if event:
            await self._told(job, event)
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
        await self.record(model)
        job = await self.call(self.store.record_model, model)
        await self._told(job, None)
        return job

    async def record(self, model: models_pb2.Model) -> None:
        """Has the audit log say where a model comes from, before there is the model."""
        await self.audit.did("model", **facts_of(model))

    def forget(self, job_id: str) -> None:
        """Tells who follows a job that it is deleted."""
        if job_id in self._feeds:
            self._feeds[job_id].forget()

    async def add_event(self, job_id: str, event: pb.JobEvent) -> None:
        """Records what a worker tells of its job, but for an epoch that has been told of before."""

        def change(job: Job) -> pb.JobEvent | None:
            if event.HasField("epoch_finished") and self._is_told(job, event.epoch_finished):
                return None
            note(job, event, self._metrics)
            return event

        event.time.CopyFrom(now())
        job, told = await self.call(self.store.record, job_id, change)
        if told and job_id in self._feeds:
            self._feeds[job_id].tell(job, told)

    async def count(self) -> None:
        """Brings the number of jobs by kind and state up to date in the metrics."""
        counts = await self.call(self.store.count_by_kind)
        for kind, row in KINDS.items():
            for state, name in NAMES.items():
                self._metrics.jobs.labels(row.task, name).set(counts.get((kind, state), 0))

    async def watch(self, job_id: str, after: int) -> AsyncIterator[pb.JobEvent | None]:
        """Yields a job's events from after a sequence number, and None as a heartbeat.

        Raises:
            JobNotFound: There is no such job.
            ShuttingDown: The server is stopping.
        """
        feed = self._feeds.setdefault(job_id, Feed())
        feed.readers += 1
        try:
            async for event in self._watched(feed, job_id, after):
                yield event
        finally:
            feed.readers -= 1
            if not feed.readers:
                self._feeds.pop(job_id, None)

    async def _watched(
        self, feed: Feed, job_id: str, after: int
    ) -> AsyncIterator[pb.JobEvent | None]:
        told = time.monotonic()
        while True:
            seen = feed.count
            news = feed.since(after)
            if news is None:
                news = await self.call(self.store.news, job_id, after)
            job, events = news
            for event in events:
                after = event.sequence
                yield event
            if job.state in FINISHED and after >= job.last_sequence:
                return
            self.require_running()
            if events:
                told = time.monotonic()
                continue
            rest = told + self.heartbeat_seconds - time.monotonic()
            if not await feed.change_after(seen, max(rest, 0.0)):
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

    async def _told(self, job: Job, event: pb.JobEvent | None) -> None:
        """Counts a transition that is on disk, and tells who waits for it.

        Args:
            job: The job after it.
            event: The event; None where there are several.
        """
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
        feed = self._feeds.get(job.id)
        if feed and event:
            feed.tell(job, event)
        elif feed:
            feed.forget()
        self.moves.wake()
        await self.count()


def _storage_failed(error: sqlite3.Error) -> StorageFailed:
    return StorageFailed(
        f"the server's database cannot be used: {error}; look at the disk of its data folder"
    )
