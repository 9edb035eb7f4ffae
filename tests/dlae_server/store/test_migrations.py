"""Stores of earlier versions, and damaged ones."""

import sqlite3
from pathlib import Path

import pytest

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_server.errors import CannotStart
from dlae_server.jobs.states import Job, enter
from dlae_server.store import MIGRATIONS, Signature, Store


def old_store(path: Path) -> None:
    """Writes a store of version 1: two jobs that made `m@1` and `m@2`."""
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0])
    for number, job_id in enumerate(("a", "b"), start=1):
        job = Job(id=job_id, name="m", state=Job.STATE_SUCCEEDED, last_sequence=1)
        model = models_pb2.Model(name="m", version=number, job_id=job_id)
        event = pb.JobEvent(sequence=1)
        connection.execute(
            "INSERT INTO jobs (id, state, config, job) VALUES (?, ?, '{}', ?)",
            (job_id, job.state, job.SerializeToString()),
        )
        connection.execute(
            "INSERT INTO events VALUES (?, 1, 'state_changed', ?)",
            (job_id, event.SerializeToString()),
        )
        connection.execute(
            "INSERT INTO models VALUES ('m', ?, ?, ?)", (number, job_id, model.SerializeToString())
        )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_a_store_of_the_first_version_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "dlae.sqlite3"
    old_store(path)
    store = Store(path)
    assert [job.id for job in store.jobs(9, "")[0]] == ["b", "a"]
    assert store.count_by_kind() == {(Job.KIND_TRAINING, Job.STATE_SUCCEEDED): 2}
    assert [event.sequence for event in store.events("b", 0)] == [1]
    found = [(model.version, model.bundle, model.job_id) for model in store.models(9, "")[0]]
    assert found == [(2, "b", "b"), (1, "a", "a")]
    assert store.set_alias("m", 1, "production", Signature()).aliases == ["production"]
    job = Job(id="c", name="m")
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    assert store.record_model(models_pb2.Model(name="m", job_id="c")).model == "m@3"
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dlae.sqlite3"
    old_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE model_changes (number INTEGER)")
    connection.close()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert "models" in tables
        assert not tables & {"aliases", "versions", "model_names"}
    connection.close()


def test_a_damaged_store_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "dlae.sqlite3"
    old_store(path)
    Store(path).close()
    content = bytearray(path.read_bytes())
    # The second page is the root of the first table.
    content[4096 : 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(CannotStart, match=r"sound database .*`dlae-server restore`"):
        Store(path)
