"""The store: what is written together, dropped together and found again."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest
from dlae_server.jobs.states import Job, enter
from dlae_server.store import MIGRATIONS, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dlae.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def add(store: Store, job_id: str, name: str = "m") -> Job:
    job = Job(id=job_id, name=name)
    return store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))


def step(number: int) -> pb.JobEvent:
    return pb.JobEvent(step_finished=pb.StepFinished(steps_done=number))


def sequences(store: Store, job_id: str, after: int = 0) -> list[int]:
    return [event.sequence for event in store.events(job_id, after)]


def test_events_are_numbered_from_one_without_gaps_and_read_from_any(store: Store) -> None:
    add(store, "a")
    for number in range(1, 5):
        store.record("a", lambda job, number=number: step(number))
    assert sequences(store, "a") == [1, 2, 3, 4, 5]
    assert sequences(store, "a", after=3) == [4, 5]
    assert sequences(store, "a", after=99) == []
    assert store.events("a", 0, limit=2)[-1].sequence == 2
    assert store.job("a").last_sequence == 5


def test_an_epoch_supersedes_the_step_events_of_its_job_only(store: Store) -> None:
    for job_id in ("a", "b"):
        add(store, job_id)
        for number in (1, 2):
            store.record(job_id, lambda job, number=number: step(number))
    store.record("a", lambda job: pb.JobEvent(epoch_finished=pb.EpochFinished()))
    assert sequences(store, "a") == [1, 4]
    assert sequences(store, "b") == [1, 2, 3]


def test_an_error_in_a_change_undoes_it_and_the_store_goes_on(store: Store) -> None:
    before = add(store, "a")

    def change(job: Job) -> pb.JobEvent:
        job.state = Job.STATE_FAILED
        raise KeyError

    with pytest.raises(KeyError):
        store.record("a", change)
    assert store.job("a") == before
    assert sequences(store, "a") == [1]
    store.record("a", lambda job: step(1))
    assert sequences(store, "a") == [1, 2]


def test_an_id_in_use_is_refused_whole(store: Store) -> None:
    add(store, "a")
    with pytest.raises(sqlite3.IntegrityError):
        add(store, "a")
    assert store.count_by_state() == {Job.STATE_QUEUED: 1}
    assert sequences(store, "a") == [1]


def test_pages_hold_every_job_once_the_newest_first(store: Store) -> None:
    for number in range(5):
        add(store, f"j{number}")
    first, token = store.jobs(2, "")
    add(store, "newer")
    second, token = store.jobs(2, token)
    third, token = store.jobs(2, token)
    assert [job.id for job in (*first, *second, *third)] == ["j4", "j3", "j2", "j1", "j0"]
    assert token == ""


def test_a_last_page_that_is_full_has_no_token(store: Store) -> None:
    add(store, "a")
    add(store, "b")
    assert store.jobs(2, "")[1] == ""
    assert store.models(2, "") == ([], "")


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "٣", "9" * 18, " 1", "1; DROP TABLE jobs"])
def test_a_token_of_no_page_is_refused(store: Store, token: str) -> None:
    with pytest.raises(InvalidRequest, match="page token"):
        store.jobs(2, token)
    with pytest.raises(InvalidRequest, match="page token"):
        store.models(2, token)


def test_versions_count_up_by_name_and_end_the_job(store: Store) -> None:
    for job_id, name in (("a", "m"), ("b", "other"), ("c", "m")):
        add(store, job_id, name)
        model = models_pb2.Model(name=name, job_id=job_id, metrics={"loss": 0.5})
        store.record_model(model)
    job = store.job("c")
    assert (job.state, job.model, job.metrics["loss"]) == (Job.STATE_SUCCEEDED, "m@2", 0.5)
    assert job.HasField("end_time")
    kinds = [event.WhichOneof("kind") for event in store.events("c", 1)]
    assert kinds == ["model_saved", "state_changed"]
    assert (store.model("m", None).version, store.model("m", 1).job_id) == (2, "a")
    models, token = store.models(2, "")
    models += store.models(2, token)[0]
    assert [(model.name, model.version) for model in models] == [("m", 2), ("m", 1), ("other", 1)]


def test_a_job_makes_one_model_only(store: Store) -> None:
    add(store, "a")
    store.record_model(models_pb2.Model(name="m", job_id="a"))
    with pytest.raises(sqlite3.IntegrityError):
        store.record_model(models_pb2.Model(name="m", job_id="a"))
    assert store.model("m", None).version == 1
    assert store.job("a").model == "m@1"


def test_a_reopened_store_is_migrated_once_and_holds_everything(path: Path) -> None:
    first = Store(path)
    written = add(first, "a")
    first.close()
    second = Store(path)
    assert second.job("a") == written
    assert second.config("a") == "{}"
    assert second.in_state(Job.STATE_QUEUED) == [written]
    second.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()
