"""Events of the engine as messages."""

from typing import get_args

from dlae.v1 import training_pb2 as pb
from dlae_core import events as core
from dlae_server.jobs.transcription import TRANSCRIPTIONS, message_from_event


def test_every_event_of_the_engine_has_a_message() -> None:
    assert set(TRANSCRIPTIONS) == set(get_args(core.Event))


def test_an_epoch_comes_over_whole() -> None:
    progress = core.Progress(epoch=2, epochs=3, step=4, steps=4)
    event = core.EpochFinished(progress, {"val_loss": 0.25}, 0.125, 1.5)
    told = message_from_event(event).epoch_finished
    assert told.progress == pb.Progress(epoch=2, epochs=3, step=4, steps=4)
    assert dict(told.metrics) == {"val_loss": 0.25}
    assert (told.learning_rate, told.duration.ToMilliseconds()) == (0.125, 1500)


def test_a_step_comes_over_whole() -> None:
    progress = core.Progress(epoch=1, epochs=3, step=2, steps=4)
    told = message_from_event(core.StepFinished(progress, {"loss": 1.5}, 2, 8)).step_finished
    assert (told.progress.step, told.steps_done, told.samples_done) == (2, 2, 8)
    assert dict(told.metrics) == {"loss": 1.5}


def test_a_resumption_comes_over_whole() -> None:
    progress = core.Progress(epoch=2, epochs=3, step=1, steps=4)
    told = message_from_event(core.Resumed(progress, 5, 20)).resumed
    assert told.progress == pb.Progress(epoch=2, epochs=3, step=1, steps=4)
    assert (told.steps_done, told.samples_done) == (5, 20)


def test_a_start_and_a_warning_come_over_whole() -> None:
    started = message_from_event(core.TrainingStarted(3, 4, 12, 5, 99, "gpu")).training_started
    assert started == pb.TrainingStarted(
        epochs=3, steps=4, training_samples=12, validation_samples=5, parameters=99, device="gpu"
    )
    warned = message_from_event(core.Warned("SLOW", "it is slow")).warned
    assert (warned.reason, warned.message) == ("SLOW", "it is slow")
