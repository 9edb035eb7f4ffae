"""What an event of the engine changes in its job and in the metrics."""

from dlae.v1 import training_pb2 as pb
from dlae_server.metrics import Metrics


def note(job: pb.Job, event: pb.JobEvent, metrics: Metrics) -> None:
    """Takes progress and metrics of an event over into the job and the service's metrics."""
    told: pb.StepFinished | pb.EpochFinished
    kind = event.WhichOneof("kind")
    if kind == "epoch_finished":
        told = event.epoch_finished
        metrics.epochs.inc()
    elif kind == "step_finished":
        told = event.step_finished
        _count_steps(job, event.step_finished, metrics)
    else:
        return
    job.progress.CopyFrom(told.progress)
    job.metrics.update(told.metrics)
    metrics.show_training(job.id, told.metrics)


def _count_steps(job: pb.Job, step: pb.StepFinished, metrics: Metrics) -> None:
    """Counts the steps since the job's last event; events of most steps are left out."""
    before = job.progress
    done_before = max(before.epoch - 1, 0) * before.steps + before.step
    new = max(step.steps_done - done_before, 0)
    metrics.steps.inc(new)
    if step.steps_done:
        metrics.samples.inc(new * step.samples_done / step.steps_done)
