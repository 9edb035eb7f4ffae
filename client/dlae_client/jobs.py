"""What a client does with jobs that there are."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dlae.v1 import training_pb2 as pb
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from dlae_client.channel import Connection, Patience
from dlae_client.errors import JobCancelled, JobFailed, ServerUnreachable
from dlae_client.registry import user

Job = pb.Job
JobEvent = pb.JobEvent
JobOptions = pb.JobOptions

PAGE = 200


class Jobs:
    """Jobs: listed, followed, paused, cancelled and deleted. A part of `Client`."""

    _connection: Connection
    _reconnect_seconds: float

    @property
    def _training(self) -> Any:
        return self._connection.stub(TrainingServiceStub)

    def status(self, job_id: str) -> Job:
        """Returns a job as it is now."""
        return self._job(self._training.Status, pb.StatusRequest(job_id=job_id))

    def jobs(
        self,
        states: Sequence["Job.State | str"] = (),
        name: str = "",
        user: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Iterator[Job]:
        """Yields the jobs that all filters let through, the newest first.

        Args:
            states: States of the jobs wanted, as numbers or names (`STATE_QUEUED`); none: any.
            name: Their name; empty: any.
            user: Who has submitted them; empty: anybody.
            labels: Labels that they have, with these values.
        """
        token = ""
        while True:
            request = pb.ListJobsRequest(
                page_size=PAGE, page_token=token, states=states, name=name, user=user, labels=labels
            )
            page = self._connection.call(self._training.ListJobs, request)
            yield from page.jobs
            token = page.next_page_token
            if not token:
                return

    def cancel(self, job_id: str) -> Job:
        """Asks a job to stop; returns it."""
        return self._job(self._training.Cancel, pb.CancelRequest(job_id=job_id))

    def pause(self, job_id: str) -> Job:
        """Asks a job to stop for a while, at its next step; returns it."""
        return self._job(self._training.Pause, pb.PauseRequest(job_id=job_id))

    def resume(self, job_id: str) -> Job:
        """Has a paused job go on where it was; returns it."""
        return self._job(self._training.Resume, pb.ResumeRequest(job_id=job_id))

    def delete_job(self, job_id: str) -> Job:
        """Deletes a job that has ended, with its files but for its model; returns it as it was."""
        return self._job(self._training.DeleteJob, pb.DeleteJobRequest(job_id=job_id))

    def logs(self, job_id: str, follow: bool = False) -> Iterator[bytes]:
        """Yields what a job's workers have written for people, in pieces of UTF-8.

        A connection that breaks is made anew, as in `watch`.

        Args:
            job_id: The job.
            follow: Whether to go on until it has ended.
        """

        def begin(offset: int) -> Any:
            return self._training.Logs(pb.LogsRequest(job_id=job_id, offset=offset, follow=follow))

        for piece in self._connection.chunks(begin, 0, self._reconnect_seconds):
            if piece.data:
                yield piece.data

    def watch(
        self, job_id: str, after: int = 0, lost: Callable[[], None] = lambda: None
    ) -> Iterator[JobEvent]:
        """Yields a job's events until it has ended, none missed and none twice.

        A connection that breaks is made anew for up to `reconnect_seconds`.

        Args:
            job_id: The job.
            after: Sequence number of the last event already seen.
            lost: Called when the connection has broken.
        """
        patience = Patience(self._reconnect_seconds)
        while True:
            try:
                for event in self._events(job_id, after):
                    patience.found()
                    if event is not None and event.sequence > after:
                        after = event.sequence
                        yield event
                return
            except ServerUnreachable:
                if patience.is_new:
                    lost()
                if not patience.wait():
                    raise

    def wait(self, job_id: str) -> Job:
        """Waits until a job has succeeded; returns it.

        Raises:
            JobFailed: It has failed.
            JobCancelled: It was cancelled.
        """
        for _ in self.watch(job_id):
            pass
        return finished(self.status(job_id))

    def _job(self, method: Callable[..., Any], request: Any) -> Job:
        job: Job = self._connection.call(method, request).job
        return job

    def _events(self, job_id: str, after: int) -> Iterator[JobEvent | None]:
        """Yields events, and None for a heartbeat."""
        request = pb.WatchRequest(job_id=job_id, after_sequence=after)
        call = self._training.Watch(request)
        try:
            with self._connection.errors():
                for answer in call:
                    yield answer.event if answer.HasField("event") else None
        finally:
            call.cancel()


def finished(job: Job) -> Job:
    """Returns a job that has succeeded.

    Raises:
        JobFailed: It has failed.
        JobCancelled: It was cancelled.
    """
    if job.state == Job.STATE_FAILED:
        raise JobFailed(job)
    if job.state == Job.STATE_CANCELLED:
        raise JobCancelled(job)
    return job


def completed_options(options: JobOptions | None) -> JobOptions:
    """Returns options with a user and a request id: a call that is repeated makes no second job."""
    completed = JobOptions()
    if options is not None:
        completed.CopyFrom(options)
    completed.user = completed.user or user()
    completed.request_id = completed.request_id or uuid.uuid4().hex
    return completed
