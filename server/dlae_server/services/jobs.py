"""What `TrainingService` does with jobs that there are."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc

from dlae.v1 import training_pb2 as pb
from dlae.v1.training_pb2_grpc import TrainingServiceServicer
from dlae_server.access.guard import present_project
from dlae_server.errors import InvalidRequest
from dlae_server.jobs.checkpoints import job_folder
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.logs import LOG_FILE, pieces, written
from dlae_server.jobs.results import chunks, result_of, results_folder
from dlae_server.jobs.supervisor import Supervisor
from dlae_server.services.pages import page_size
from dlae_server.settings import Settings

Context: TypeAlias = grpc.aio.ServicerContext


class JobCalls(TrainingServiceServicer):  # type: ignore[misc]
    """Follows, stops and deletes jobs, and hands out what they wrote. A part of the service."""

    def __init__(self, settings: Settings, journal: Journal, supervisor: Supervisor) -> None:
        self._settings = settings
        self._journal = journal
        self._supervisor = supervisor

    async def Status(self, request: pb.StatusRequest, context: Context) -> pb.StatusResponse:
        """Returns a job."""
        job = await self._own(request.job_id)
        return pb.StatusResponse(job=self._supervisor.explained(job))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        """Returns a page of jobs."""
        journal, page = self._journal, (page_size(request.page_size), request.page_token)
        jobs, token = await journal.call(journal.store.jobs, *page, request, present_project())
        explained = [self._supervisor.explained(job) for job in jobs]
        return pb.ListJobsResponse(jobs=explained, next_page_token=token)

    async def Watch(
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        """Streams a job's events."""
        await self._own(request.job_id)
        async for event in self._journal.watch(request.job_id, request.after_sequence):
            yield pb.WatchResponse(event=event)

    async def Cancel(self, request: pb.CancelRequest, context: Context) -> pb.CancelResponse:
        """Asks a job to stop."""
        await self._own(request.job_id)
        return pb.CancelResponse(job=await self._supervisor.cancel(request.job_id))

    async def Pause(self, request: pb.PauseRequest, context: Context) -> pb.PauseResponse:
        """Asks a job to stop for a while."""
        await self._own(request.job_id)
        return pb.PauseResponse(job=await self._supervisor.pause(request.job_id))

    async def Resume(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        """Has a paused job wait for a worker again."""
        await self._own(request.job_id)
        return pb.ResumeResponse(job=await self._supervisor.resume(request.job_id))

    async def DeleteJob(
        self, request: pb.DeleteJobRequest, context: Context
    ) -> pb.DeleteJobResponse:
        """Deletes a job that has ended."""
        await self._own(request.job_id)
        return pb.DeleteJobResponse(job=await self._supervisor.delete(request.job_id))

    async def Logs(
        self, request: pb.LogsRequest, context: Context
    ) -> AsyncIterator[pb.LogsResponse]:
        """Streams what the workers of a job have written for people."""
        if request.offset < 0:
            raise InvalidRequest(f"expected an offset of 0 or more, got {request.offset}")
        journal, job = self._journal, await self._own(request.job_id)
        path = job_folder(self._settings.data_dir, job.id) / LOG_FILE
        if request.follow:
            found = pieces(journal, path, job.id, request.offset)
        else:
            found = written(path, request.offset)
        async for offset, data in found:
            yield pb.LogsResponse(offset=offset, data=data)

    async def FetchResult(
        self, request: pb.FetchResultRequest, context: Context
    ) -> AsyncIterator[pb.FetchResultResponse]:
        """Streams a file that a job wrote."""
        job = await self._own(request.job_id)
        file = result_of(job, request.file)
        if not 0 <= request.offset <= file.size_bytes:
            raise InvalidRequest(
                f"expected an offset from 0 to {file.size_bytes}, got {request.offset}"
            )
        path = results_folder(self._settings.data_dir, job.id) / file.name
        async for offset, data in chunks(path, request.offset):
            yield pb.FetchResultResponse(file=file.name, offset=offset, data=data)

    async def _own(self, job_id: str) -> pb.Job:
        """Returns a job of the call's project.

        Raises:
            JobNotFound: It has none of this id.
        """
        journal = self._journal
        return await journal.call(journal.store.job, job_id, present_project())
