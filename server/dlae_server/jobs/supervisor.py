"""The supervisor: takes jobs through their lives."""

import asyncio
import secrets

from dlae.v1 import training_pb2 as pb
from dlae_server.access.projects import DEFAULT
from dlae_server.errors import JobNotFound, QueueFull
from dlae_server.executors.executor import Executor
from dlae_server.jobs.checkpoints import job_folder
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.kinds import kind_of
from dlae_server.jobs.outcomes import STALLS, Outcomes, tidy
from dlae_server.jobs.removal import Removal
from dlae_server.jobs.run import STOPPING, Run
from dlae_server.jobs.states import ACTIVE, FINISHED, Job, now
from dlae_server.jobs.transitions import begin, cancel, pause, resume, wait_again
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings
from dlae_server.watermarks import Watermarks

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Supervisor:
    """Runs jobs, each in a worker process: those of highest priority first, then the oldest.

    A job that waits for cores or GPUs lets none pass; one whose user has as many running as are
    allowed does.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, journal: Journal, executor: Executor
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._watermarks = Watermarks(settings, metrics)
        self._executor = executor
        self._outcomes = Outcomes(settings, metrics, journal)
        self._removal = Removal(settings, journal)
        self._runs: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> "asyncio.Task[None]":
        """Puts right what a crash left behind; returns the task that works through the queue."""
        for job in await self._journal.call(self._journal.store.in_state, *ACTIVE):
            await self._recover(job)
        await self._journal.count()
        await self._sweep()
        self._retention = await self._removal.start()
        await self._executor.open(self._journal.moves.wake)
        return asyncio.create_task(self._work())

    def kill(self) -> None:
        """Ends all workers; their jobs go back to the queue where the server is stopping."""
        for run in self._runs.values():
            run.kill()

    async def submit(self, job: Job, config: str, request: str = "") -> Job:
        """Records a job; it is on disk when this returns.

        Args:
            job: Its name, its kind, its options and, where it predicts with one, its model.
            config: What it is to do.
            request: Digest of all that was asked for.

        Returns:
            The job, or the one that the same request has made before.

        Raises:
            InvalidRequest: It asks for more than the server has.
            QueueFull: Too many jobs are waiting.
            RequestIdInUse: Something else was asked for under the same request id.
            ShuttingDown: The server is stopping.
            DiskLow, MemoryLow: The server has hardly any left.
        """
        self._journal.require_running()
        call, store = self._journal.call, self._journal.store
        self._executor.check(job, config)
        await self._require_room(job)
        self._watermarks.require_disk()
        self._watermarks.require_memory()
        while await call(store.is_taken, job_id := _new_id(job.name)):
            continue
        new = Job(id=job_id, create_time=now())
        new.MergeFrom(job)
        return await self._journal.add(new, config, request)

    def explained(self, job: Job) -> Job:
        """Returns a job that says why it waits, where nothing can begin."""
        if job.state == Job.STATE_QUEUED:
            job.waits_for = self._executor.obstacle(job.options)
        return job

    async def cancel(self, job_id: str) -> Job:
        """Asks a job to stop.

        Raises:
            JobNotFound: There is no such job.
            JobFinished: It has ended.
        """
        job = await self._journal.change(job_id, cancel)
        self._stop(job)
        if job.state in FINISHED:
            # One that was paused has left its work.
            await asyncio.to_thread(tidy, job_folder(self._settings.data_dir, job_id))
        return job

    async def pause(self, job_id: str) -> Job:
        """Asks a job to stop for a while.

        Raises:
            JobBusy: It is being cancelled.
            JobNotFound: There is no such job.
            JobFinished: It has ended.
        """
        job = await self._journal.change(job_id, pause)
        self._stop(job)
        return job

    async def resume(self, job_id: str) -> Job:
        """Has a paused job wait for a worker again.

        Raises:
            JobBusy: It is still being paused, or is being cancelled.
            JobNotFound: There is no such job.
            JobFinished: It has ended.
            QueueFull: Too many jobs are waiting.
            ShuttingDown: The server is stopping.
        """
        self._journal.require_running()
        job = await self._journal.call(self._journal.store.job, job_id)
        if job.state == Job.STATE_PAUSED:
            await self._require_room(job)
        return await self._journal.change(job_id, resume)

    async def delete(self, job_id: str) -> Job:
        """Deletes a job that has ended, with its files; returns it as it was.

        Raises:
            JobBusy: It has not ended, or another job goes on from its checkpoint.
            JobNotFound: There is no such job.
        """
        job = await self._journal.call(self._journal.store.job, job_id)
        if job.state in FINISHED and job_id in self._tasks:
            # Its folder is just being tidied up.
            await asyncio.wait((self._tasks[job_id],))
        return await self._removal.delete(job_id)

    async def _require_room(self, job: Job) -> None:
        """Raises `QueueFull` where too many jobs wait, of one user of a project or of all."""
        call, store, settings = self._journal.call, self._journal.store, self._settings
        counts = await call(store.count_by_state)
        if counts.get(Job.STATE_QUEUED, 0) >= settings.queued_jobs:
            raise QueueFull("jobs", settings.queued_jobs)
        limit, own = settings.queued_jobs_per_user, (job.options.user, Job.STATE_QUEUED)
        project = job.project or DEFAULT
        if limit is not None and await call(store.count_of_user, *own, project) >= limit:
            raise QueueFull("jobs of this user", limit)

    def _stop(self, job: Job) -> None:
        if job.state in STOPPING and job.id in self._runs:
            self._runs[job.id].stop(job.state)

    async def _work(self) -> None:
        moves = self._journal.moves
        try:
            while self._tasks or not self._journal.stopping:
                seen = moves.count
                while await self._begin_next():
                    continue
                change = asyncio.create_task(moves.change_after(seen, None))
                await asyncio.wait(
                    (change, *self._tasks.values()), return_when=asyncio.FIRST_COMPLETED
                )
                change.cancel()
                for job_id in [job_id for job_id, task in self._tasks.items() if task.done()]:
                    self._tasks.pop(job_id).result()
        finally:
            self._retention.cancel()
            self.kill()
            await self._executor.close()

    async def _begin_next(self) -> bool:
        """Begins the job whose turn it is, where there is one and what it needs is free."""
        if self._journal.stopping or self._executor.is_full:
            return False
        call, store = self._journal.call, self._journal.store
        found = await call(store.next_queued, await self._busy_users())
        if found is None:
            return False
        job, config = found
        if job.id in self._tasks:
            # It waits again, and its last run is not quite over.
            return False
        if not self._executor.take(job.id, job.options, config):
            return False
        try:
            job = await self._journal.change(job.id, begin)
        except JobNotFound:
            self._executor.give_back(job.id)
            return True
        if job.state == Job.STATE_RUNNING:
            self._tasks[job.id] = asyncio.create_task(self._run(job, config))
        else:
            self._executor.give_back(job.id)
        return True

    async def _busy_users(self) -> list[str]:
        """Returns the users who have as many jobs running as they may."""
        limit = self._settings.running_jobs_per_user
        if limit is None:
            return []
        counts = await self._journal.call(self._journal.store.count_by_user, *ACTIVE)
        return [user for user, count in counts.items() if count >= limit]

    async def _run(self, job: Job, config: str) -> None:
        run = Run(self._settings, self._journal, self._executor, job)
        self._runs[job.id] = run
        try:
            ending = await run.follow(config)
            await self._outcomes.settle(job.id, ending)
        finally:
            del self._runs[job.id]
            self._executor.give_back(job.id)

    async def _recover(self, job: Job) -> None:
        """Puts a job right that was running when the server stopped."""
        if job.state in STOPPING or job.stalls < STALLS:
            events = await self._journal.call(
                self._journal.store.events, job.id, job.last_sequence - 1
            )
            until, message = events[-1].time, kind_of(job).interrupted
            await self._journal.change(job.id, lambda job: wait_again(job, message, until))
            return
        message = (
            f"the server stopped {job.stalls} times in a row while this job was running, "
            "which got no further in between"
        )
        error = pb.JobError(reason="SERVER_STOPPED", message=message)
        await self._journal.finish(job.id, Job.STATE_FAILED, error)

    async def _sweep(self) -> None:
        """Tidies up after jobs that ended just before the server did."""
        for work in (self._settings.data_dir / "jobs").glob("*/work"):
            try:
                job = await self._journal.call(self._journal.store.job, work.parent.name)
            except JobNotFound:
                continue
            if job.state in FINISHED:
                await asyncio.to_thread(tidy, work.parent)


def _new_id(name: str) -> str:
    return f"{name}-" + "".join(secrets.choice(ALPHABET) for _ in range(4))
