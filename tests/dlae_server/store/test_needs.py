"""What waiting jobs need is found without reading them all, and is never forgotten."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlae.v1.datasets_pb2 import Dataset
from dlae.v1.models_pb2 import Model
from dlae_server.datasets.references import Reference
from dlae_server.errors import DatasetInUse, JobBusy, ModelInUse
from dlae_server.jobs.states import Job, enter
from dlae_server.store import Signature, Store, needs

BY = Signature()
SHA256 = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the model `m@1` of the job `old`, and a data file."""
    opened = Store(tmp_path / "dlae.sqlite3")
    waits(opened, "old", {})
    opened.record_model(Model(name="m", job_id="old"))
    opened.add_dataset(Dataset(sha256=SHA256, size_bytes=1), "")
    yield opened
    opened.close()


def waits(store: Store, job_id: str, config: dict[str, dict[str, str]]) -> None:
    job = Job(id=job_id, name="m")
    store.add_job(job, json.dumps(config), enter(job, Job.STATE_QUEUED))


def ends(store: Store, job_id: str) -> None:
    store.record(job_id, lambda job: enter(job, Job.STATE_CANCELLED))


def continued(file: str) -> dict[str, dict[str, str]]:
    signal = {"type_signal": "Train from Checkpoint"}
    return {"config_file": signal, "paths": {"load_checkpoint": f"/server/{file}"}}


def require_in_use(store: Store, job_id: str) -> None:
    """Fails where model, job and data file can be deleted although a job needs them."""
    with pytest.raises(ModelInUse, match=f"the job {job_id} needs"):
        store.delete_model("m", 1, False, BY)
    with pytest.raises(JobBusy, match=f"job '{job_id}' goes on from"):
        store.delete_job("old")
    with pytest.raises(DatasetInUse, match=f"job {job_id}"):
        store.delete_dataset(Reference(sha256=SHA256), True)


def needing(store: Store) -> dict[str, dict[str, str]]:
    """Returns a configuration that needs all that there is."""
    config = continued("jobs/old/checkpoint.dlae")
    config["paths"]["train_X"] = str(store.folder / "datasets" / f"{SHA256}.h5")
    return config


def indexed(store: Store) -> list[str]:
    """Returns the jobs that may need what the job `old` has left."""
    return list(store._needs.of("old")) if store._needs else []


@pytest.mark.parametrize("asked_before", [False, True])
def test_jobs_are_found_whether_they_came_before_the_first_question_or_after(
    store: Store, asked_before: bool
) -> None:
    if asked_before:
        assert store.dataset_users(SHA256) == []
    waits(store, "next", needing(store))
    require_in_use(store, "next")
    ends(store, "next")
    assert store.dataset_users(SHA256) == []
    assert store.delete_model("m", 1, False, BY).version == 1
    assert store.delete_job("old").id == "old"


def test_jobs_that_have_ended_do_not_fill_the_index(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "MOST", 10)
    assert store.dataset_users(SHA256) == []
    for number in range(12):
        waits(store, f"j{number}", needing(store))
        ends(store, f"j{number}")
    assert indexed(store) == []
    waits(store, "next", needing(store))
    require_in_use(store, "next")
    assert indexed(store) == ["next"]


def test_what_was_undone_is_not_taken_for_a_job(store: Store) -> None:
    assert store.dataset_users(SHA256) == []
    assert store._needs is not None
    store._needs.add("never", json.dumps(needing(store)))
    assert store.dataset_users(SHA256) == []


def test_other_places_and_longer_names_are_not_mixed_up(store: Store) -> None:
    for number, file in enumerate(("jobs/older/checkpoint.dlae", "jobs/old/worker.log")):
        waits(store, f"j{number}", continued(file))
    waits(store, "k", {"paths": {"load_model": "/server/models/old/other"}})
    assert store.delete_model("m", 1, False, BY).version == 1
    assert store.delete_job("old").id == "old"
