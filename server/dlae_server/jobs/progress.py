"""What an event of the engine changes in its job and in the metrics."""

from dlae.v1 import training_pb2 as pb
from dlae_server.metrics import Metrics


def note(job: pb.Job, event: pb.JobEvent, metrics: Metrics) -> None:
    """Takes progress and metrics of an event over into the job and the service's metrics.

    What is done again after an interruption is not counted again.
    """
    told: pb.StepFinished | pb.EpochFinished
    kind = event.WhichOneof("kind")
    if kind == "training_started":
        job.ClearField("progress")
        job.metrics.clear()
        return
    if kind == "inference_started":
        job.ClearField("progress")
        job.progress.steps = event.inference_started.samples
        return
    if kind == "samples_predicted":
        _count_predicted(job, event.samples_predicted)
        return
    if kind == "resumed":
        job.progress.CopyFrom(event.resumed.progress)
        return
    if kind == "epoch_finished":
        told = event.epoch_finished
        metrics.epochs.inc(max(told.progress.epoch - job.epochs_done, 0))
        job.epochs_done = max(told.progress.epoch, job.epochs_done)
    elif kind == "step_finished":
        told = event.step_finished
        _count_steps(job, event.step_finished, metrics)
    else:
        return
    job.progress.CopyFrom(told.progress)
    job.metrics.update(told.metrics)
    metrics.show_training(job.id, told.metrics)


def _count_predicted(job: pb.Job, told: pb.SamplesPredicted) -> None:
    """Notes how far a session of inference is; it gets on where it is further than ever before."""
    job.progress.step, job.progress.steps = told.samples_done, told.samples
    if told.samples_done > job.samples_done:
        job.samples_done, job.stalls = told.samples_done, 0


def _count_steps(job: pb.Job, step: pb.StepFinished, metrics: Metrics) -> None:
    """Counts what is new since the job's last event; events of most steps are left out."""
    if step.steps_done <= job.steps_done:
        return
    metrics.steps.inc(step.steps_done - job.steps_done)
    metrics.samples.inc(max(step.samples_done - job.samples_done, 0))
    job.steps_done, job.samples_done = step.steps_done, step.samples_done
    job.stalls = 0
