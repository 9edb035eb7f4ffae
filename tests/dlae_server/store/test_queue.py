"""The store's queue: requests that repeat, order, filters, and deletion."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_server.errors import JobBusy, JobNotFound, RequestIdInUse
from dlae_server.jobs.states import Job, enter
from dlae_server.store import Store

QUEUED, RUNNING, CANCELLED = Job.STATE_QUEUED, Job.STATE_RUNNING, Job.STATE_CANCELLED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "dlae.sqlite3")
    yield opened
    opened.close()


def add(store: Store, job_id: str, request: str = "", config: str = "{}", **options: Any) -> Job:
    name = options.pop("name", "m")
    job = Job(id=job_id, name=name, options=pb.JobOptions(**options))
    return store.add_job(job, config, enter(job, QUEUED), request)


def test_a_repeated_request_makes_no_second_job(store: Store) -> None:
    first = add(store, "a", "digest", request_id="r1")
    again = add(store, "b", "digest", request_id="r1")
    assert (again, store.count_by_state()) == (first, {QUEUED: 1})
    assert store.requested("r1", "digest") == first
    assert store.requested("r2", "digest") is None
    assert [add(store, job_id, "digest").id for job_id in ("c", "d")] == ["c", "d"]


def test_a_request_id_is_not_for_another_request(store: Store) -> None:
    add(store, "a", "digest", request_id="r1")
    with pytest.raises(RequestIdInUse, match="made job 'a'"):
        add(store, "b", "other", request_id="r1")
    assert store.count_by_state() == {QUEUED: 1}


def test_the_highest_priority_goes_first_then_the_oldest(store: Store) -> None:
    for job_id, priority in (("a", 0), ("b", 5), ("c", -1), ("d", 5)):
        add(store, job_id, priority=priority)
    order = []
    while found := store.next_queued([]):
        order.append(found[0].id)
        store.record(found[0].id, lambda job: enter(job, RUNNING))
    assert order == ["b", "d", "a", "c"]


def test_jobs_of_busy_users_are_passed_over(store: Store) -> None:
    for job_id, user in (("a", "ann"), ("b", "ann"), ("c", "bob"), ("d", "")):
        add(store, job_id, user=user)
    store.record("a", lambda job: enter(job, RUNNING))
    assert store.count_by_user(RUNNING) == {"ann": 1}
    assert store.count_of_user("ann", QUEUED) == 1
    passed = [store.next_queued(without) for without in ([], ["ann"], ["ann", "bob"])]
    assert [found[0].id for found in passed if found] == ["b", "c", "d"]
    assert store.next_queued(["ann", "bob", ""]) is None


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"name": "m"}, ["d", "a"]),
        ({"user": "ann"}, ["b", "a"]),
        ({"states": [RUNNING]}, ["b"]),
        ({"states": [QUEUED, RUNNING], "name": "n"}, ["c", "b"]),
        ({"labels": {"study": "1"}}, ["c", "a"]),
        ({"labels": {"study": "1", "fold": "2"}}, ["c"]),
        ({"labels": {"study": "3"}}, []),
    ],
)
def test_filters_let_through_what_they_name(
    store: Store, filters: dict[str, Any], found: list[str]
) -> None:
    add(store, "a", name="m", user="ann", labels={"study": "1", "fold": "1"})
    add(store, "b", name="n", user="ann", labels={"study": "2"})
    add(store, "c", name="n", user="bob", labels={"study": "1", "fold": "2"})
    add(store, "d", name="m")
    store.record("b", lambda job: enter(job, RUNNING))
    wanted = pb.ListJobsRequest(**filters)
    pages, token = store.jobs(1, "", wanted)
    while token:
        page, token = store.jobs(1, token, wanted)
        pages += page
    assert [job.id for job in pages] == found


def test_a_deleted_job_leaves_its_model_and_the_note_that_its_folder_is_to_go(
    store: Store,
) -> None:
    add(store, "a", "digest", request_id="r1", labels={"study": "1"})
    store.record_model(models_pb2.Model(name="m", job_id="a"))
    assert store.delete_job("a").model == "m@1"
    with pytest.raises(JobNotFound):
        store.job("a")
    assert (store.events("a", 0), store.jobs(9, "")[0]) == ([], [])
    assert (store.model("m", 1).job_id, store.bundles()) == ("a", {"a"})
    assert (store.removals(), store.is_taken("a")) == (["a"], True)
    store.removed("a")
    # Its bundle still has the name.
    assert (store.removals(), store.is_taken("a"), store.is_taken("b")) == ([], True, False)
    assert store.requested("r1", "digest") is None
    assert store.damage() == []


def test_a_job_that_has_not_ended_is_not_deleted(store: Store) -> None:
    add(store, "a")
    with pytest.raises(JobBusy, match="has not ended, it is queued"):
        store.delete_job("a")
    assert store.job("a").state == QUEUED


def test_a_job_whose_checkpoint_is_needed_is_not_deleted(store: Store) -> None:
    add(store, "a")
    store.record("a", lambda job: enter(job, CANCELLED))
    config = (
        '{"config_file": {"type_signal": "Train from Checkpoint"}, '
        '"paths": {"load_checkpoint": "/data/jobs/a/checkpoint.dlae"}}'
    )
    add(store, "b", config=config)
    with pytest.raises(JobBusy, match="has the checkpoint that job 'b' goes on from"):
        store.delete_job("a")
    store.record("b", lambda job: enter(job, CANCELLED))
    assert store.delete_job("a").id == "a"


def test_old_jobs_are_those_that_ended_before(store: Store) -> None:
    for job_id in ("a", "b"):
        add(store, job_id)
    store.record("a", lambda job: enter(job, CANCELLED))
    now = time.time()
    assert store.ended_before(now - 60) == []
    assert store.ended_before(now + 60) == ["a"]
