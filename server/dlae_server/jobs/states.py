"""States of jobs, and the events that tell of them."""

from google.protobuf.timestamp_pb2 import Timestamp

from dlae.v1 import training_pb2 as pb

Job = pb.Job

FINISHED = frozenset((Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED))

# A worker is at work.
ACTIVE = frozenset((Job.STATE_RUNNING, Job.STATE_PAUSING, Job.STATE_CANCELLING))

# State -> its name for people and metrics.
NAMES = {
    state: name.removeprefix("STATE_").lower()
    for name, state in Job.State.items()
    if state != Job.STATE_UNSPECIFIED
}


def now() -> Timestamp:
    """Returns the current time."""
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def seconds_between(start: Timestamp, end: Timestamp) -> float:
    """Returns a time span, 0 where the clock has been set back."""
    return max((end.ToNanoseconds() - start.ToNanoseconds()) / 1e9, 0.0)


def enter(
    job: Job,
    state: "Job.State",
    error: pb.JobError | None = None,
    message: str = "",
    until: Timestamp | None = None,
) -> pb.JobEvent:
    """Brings a job into a state; returns the event that tells of it.

    Args:
        job: The job.
        state: The new state.
        error: Why it failed.
        message: For people.
        until: Until when its worker has worked, where that has ended; None: now.
    """
    time = now()
    if job.state in ACTIVE and state not in ACTIVE and job.HasField("start_time"):
        job.run_seconds += seconds_between(job.start_time, until or time)
    job.state = state
    if state == Job.STATE_PAUSED:
        # It stopped in good order: what came before is no sign of a fault.
        job.stalls = 0
    if state == Job.STATE_RUNNING:
        job.attempt += 1
        job.stalls += 1
        job.start_time.CopyFrom(time)
    if state in FINISHED:
        job.end_time.CopyFrom(time)
    if error:
        job.error.CopyFrom(error)
    changed = pb.StateChanged(state=state, error=error, message=message)
    return pb.JobEvent(time=time, state_changed=changed)


def succeed_with(job: Job, result: pb.ResultFile) -> pb.JobEvent | None:
    """Ends a job with a file that it wrote, unless it has ended; returns the event that tells."""
    if job.state in FINISHED:
        return None
    job.results.add().CopyFrom(result)
    return enter(job, Job.STATE_SUCCEEDED)


def succeed(job: Job, model: str) -> list[pb.JobEvent]:
    """Ends a job with a model, `name@version`; returns the events that tell of it."""
    job.model = model
    saved = pb.JobEvent(time=now(), model_saved=pb.ModelSaved(model=model))
    return [saved, enter(job, Job.STATE_SUCCEEDED)]
