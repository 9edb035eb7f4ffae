"""What a job may go through, and what it goes through when somebody asks or a worker ends.

Each function looks at a job as it is on disk, changes it and returns the event that tells of it, or
None where nothing changes; see `Store.record`.

    QUEUED -> RUNNING -> SUCCEEDED, FAILED
    QUEUED, PAUSED -> CANCELLED; RUNNING, PAUSING -> CANCELLING -> CANCELLED
    QUEUED -> PAUSED; RUNNING -> PAUSING -> PAUSED -> QUEUED
    RUNNING -> QUEUED where the worker or the server is gone

A worker may come to its end before it has seen that it should stop: PAUSING and CANCELLING lead to
SUCCEEDED and FAILED as well.
"""

from google.protobuf.timestamp_pb2 import Timestamp

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import JobBusy, JobFinished
from dlae_server.jobs.states import FINISHED, NAMES, Job, enter

# State of a job that stops -> what becomes of it when it has.
_STOPPED = {
    Job.STATE_PAUSING: Job.STATE_PAUSED,
    Job.STATE_CANCELLING: Job.STATE_CANCELLED,
}


def begin(job: Job) -> pb.JobEvent | None:
    """Begins a job that still waits: it may have been cancelled or paused since it was seen."""
    return enter(job, Job.STATE_RUNNING) if job.state == Job.STATE_QUEUED else None


def stop(job: Job) -> pb.JobEvent | None:
    """Brings a job whose worker has stopped on request to where it was to be brought."""
    if job.state in FINISHED:
        return None
    return enter(job, _STOPPED.get(job.state, Job.STATE_CANCELLED))


def wait_again(job: Job, message: str, until: Timestamp | None = None) -> pb.JobEvent | None:
    """Puts a job back whose worker is gone; it may have been cancelled or paused meanwhile.

    Args:
        job: The job.
        message: Why it waits again.
        until: When its worker was last known to work; None: now.
    """
    if job.state in FINISHED:
        return None
    if job.state in _STOPPED:
        return enter(job, _STOPPED[job.state], until=until)
    return enter(job, Job.STATE_QUEUED, message=message, until=until)


def wait_as_before(job: Job, message: str) -> pb.JobEvent | None:
    """Puts a job back that could not be started, which is no fault of its own.

    Args:
        job: The job.
        message: Why it waits again.
    """
    job.stalls = max(job.stalls - 1, 0)
    return wait_again(job, message)


def cancel(job: Job) -> pb.JobEvent | None:
    """Begins to cancel a job.

    Raises:
        JobFinished: It has ended.
    """
    _require_unfinished(job)
    if job.state == Job.STATE_CANCELLING:
        return None
    waits = job.state in (Job.STATE_QUEUED, Job.STATE_PAUSED)
    return enter(job, Job.STATE_CANCELLED if waits else Job.STATE_CANCELLING)


def pause(job: Job) -> pb.JobEvent | None:
    """Begins to pause a job.

    Raises:
        JobBusy: It is being cancelled.
        JobFinished: It has ended.
    """
    _require_unfinished(job)
    if job.state == Job.STATE_CANCELLING:
        raise JobBusy(job.id, "is being cancelled and cannot be paused")
    if job.state in (Job.STATE_PAUSING, Job.STATE_PAUSED):
        return None
    waits = job.state == Job.STATE_QUEUED
    return enter(job, Job.STATE_PAUSED if waits else Job.STATE_PAUSING)


def resume(job: Job) -> pb.JobEvent | None:
    """Has a paused job wait for a worker.

    Raises:
        JobBusy: It is still being paused, or is being cancelled.
        JobFinished: It has ended.
    """
    _require_unfinished(job)
    if job.state == Job.STATE_PAUSING:
        raise JobBusy(job.id, "is still being paused; resume it when it is")
    if job.state == Job.STATE_CANCELLING:
        raise JobBusy(job.id, "is being cancelled and cannot be resumed")
    return enter(job, Job.STATE_QUEUED) if job.state == Job.STATE_PAUSED else None


def _require_unfinished(job: Job) -> None:
    if job.state in FINISHED:
        raise JobFinished(job.id, NAMES[job.state])
