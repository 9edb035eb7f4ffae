"""Jobs deleted with their files: when somebody asks, and when they are old."""

import asyncio
import logging
import shutil
import time

from dlae_core.errors import StorageFailed
from dlae_server.errors import JobBusy, JobNotFound, ShuttingDown
from dlae_server.jobs.checkpoints import job_folder
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import Job
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
DAY = 24 * 3600.0


class Removal:
    """Deletes jobs. The store notes which folders are still to go, so that none is forgotten."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal

    async def start(self) -> "asyncio.Task[None]":
        """Removes what a crash has left of deleted jobs; returns the task that deletes old ones."""
        for job_id in await self._journal.call(self._journal.store.removals):
            await self._clear(job_id)
        return asyncio.create_task(self._retain())

    async def delete(self, job_id: str) -> Job:
        """Deletes a job that has ended; returns it as it was.

        Raises:
            JobBusy: It has not ended, or another job goes on from its checkpoint.
            JobNotFound: There is no such job.
        """
        job = await self._journal.call(self._journal.store.delete_job, job_id)
        LOG.info("job %s: deleted", job_id)
        self._journal.forget(job_id)
        await self._clear(job_id)
        await self._journal.count()
        return job

    async def _clear(self, job_id: str) -> None:
        folder = job_folder(self._settings.data_dir, job_id)
        await asyncio.to_thread(shutil.rmtree, folder, True)
        if folder.exists():
            LOG.warning("job %s: its folder cannot be removed", job_id)
            return
        await self._journal.call(self._journal.store.removed, job_id)

    async def _retain(self) -> None:
        """Deletes jobs that ended too long ago, once a day."""
        days = self._settings.retention_days
        while days is not None and not self._journal.stopping:
            try:
                await self._delete_ended_before(time.time() - days * DAY)
            except (ShuttingDown, StorageFailed) as error:
                LOG.warning("old jobs cannot be deleted: %s", error)
            await asyncio.sleep(DAY)

    async def _delete_ended_before(self, seconds: float) -> None:
        for job_id in await self._journal.call(self._journal.store.ended_before, seconds):
            try:
                await self.delete(job_id)
                await self._journal.audit.did("retention", job=job_id)
            except (JobBusy, JobNotFound) as error:
                LOG.info("%s", error)
