"""The store: one transaction per change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_server.errors import JobNotFound, ModelNotFound
from dlae_server.jobs.states import enter, now
from dlae_server.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the job `a`."""
    opened = Store(tmp_path / "dlae.sqlite3")
    job = pb.Job(id="a", name="m", create_time=now())
    opened.add_job(job, "{}", enter(job, pb.Job.STATE_QUEUED))
    yield opened
    opened.close()


def test_a_change_that_fails_leaves_nothing_behind(store: Store) -> None:
    before = store.job("a")

    def change(job: pb.Job) -> pb.JobEvent:
        enter(job, pb.Job.STATE_RUNNING)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.record("a", change)
    assert store.job("a") == before
    assert len(store.events("a", 0)) == 1


def test_a_change_of_nothing_adds_no_event(store: Store) -> None:
    job, event = store.record("a", lambda job: None)
    assert event is None
    assert job == store.job("a")
    assert len(store.events("a", 0)) == 1


def test_an_epoch_takes_the_place_of_its_steps(store: Store) -> None:
    for step in (1, 2):
        told = pb.StepFinished(progress=pb.Progress(step=step))
        event = pb.JobEvent(time=now(), step_finished=told)
        store.record("a", lambda job, event=event: event)
    assert [event.sequence for event in store.events("a", 0)] == [1, 2, 3]
    store.record("a", lambda job: pb.JobEvent(time=now(), epoch_finished=pb.EpochFinished()))
    assert [event.sequence for event in store.events("a", 0)] == [1, 4]
    assert store.job("a").last_sequence == 4


def test_a_model_and_the_end_of_its_job_come_together(store: Store) -> None:
    model = models_pb2.Model(name="m", job_id="a", metrics={"loss": 0.5})
    job = store.record_model(model)
    assert (job.state, job.model) == (pb.Job.STATE_SUCCEEDED, "m@1")
    assert dict(job.metrics) == {"loss": 0.5}
    kinds = [event.WhichOneof("kind") for event in store.events("a", 1)]
    assert kinds == ["model_saved", "state_changed"]
    assert store.model("m", None) == store.model("m", 1)


def test_what_is_written_is_there_after_opening_again(store: Store, tmp_path: Path) -> None:
    again = Store(tmp_path / "dlae.sqlite3")
    assert again.job("a") == store.job("a")
    assert again.config("a") == "{}"
    again.close()


def test_what_is_unknown_is_told(store: Store) -> None:
    with pytest.raises(JobNotFound, match="there is no job 'b'"):
        store.job("b")
    with pytest.raises(ModelNotFound, match="there is no model 'm@2'"):
        store.model("m", 2)
    assert store.has_job("a")
    assert not store.has_job("b")
