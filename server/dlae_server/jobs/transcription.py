"""Events of the engine to messages of the contract."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from dlae.v1 import training_pb2 as pb
from dlae_core import events as core


def _progress(progress: core.Progress) -> pb.Progress:
    return pb.Progress(
        epoch=progress.epoch, epochs=progress.epochs, step=progress.step, steps=progress.steps
    )


def _started(event: core.TrainingStarted) -> pb.JobEvent:
    return pb.JobEvent(training_started=pb.TrainingStarted(**vars(event)))


def _resumed(event: core.Resumed) -> pb.JobEvent:
    return pb.JobEvent(
        resumed=pb.Resumed(
            progress=_progress(event.progress),
            steps_done=event.steps_done,
            samples_done=event.samples_done,
        )
    )


def _step(event: core.StepFinished) -> pb.JobEvent:
    return pb.JobEvent(
        step_finished=pb.StepFinished(
            progress=_progress(event.progress),
            metrics=event.metrics,
            steps_done=event.steps_done,
            samples_done=event.samples_done,
        )
    )


def _epoch(event: core.EpochFinished) -> pb.JobEvent:
    duration = Duration()
    duration.FromNanoseconds(round(event.seconds * 1e9))
    return pb.JobEvent(
        epoch_finished=pb.EpochFinished(
            progress=_progress(event.progress),
            metrics=event.metrics,
            learning_rate=event.learning_rate,
            duration=duration,
        )
    )


def _warned(event: core.Warned) -> pb.JobEvent:
    return pb.JobEvent(warned=pb.Warned(reason=event.reason, message=event.message))


def _inference_started(event: core.InferenceStarted) -> pb.JobEvent:
    return pb.JobEvent(inference_started=pb.InferenceStarted(**vars(event)))


def _samples(event: core.SamplesPredicted) -> pb.JobEvent:
    return pb.JobEvent(samples_predicted=pb.SamplesPredicted(**vars(event)))


TRANSCRIPTIONS: dict[type, Callable[[Any], pb.JobEvent]] = {
    core.TrainingStarted: _started,
    core.Resumed: _resumed,
    core.StepFinished: _step,
    core.EpochFinished: _epoch,
    core.Warned: _warned,
    core.InferenceStarted: _inference_started,
    core.SamplesPredicted: _samples,
}


def message_from_event(event: core.Event) -> pb.JobEvent:
    """Returns an event of the engine as a message, without sequence number and time."""
    return TRANSCRIPTIONS[type(event)](event)
