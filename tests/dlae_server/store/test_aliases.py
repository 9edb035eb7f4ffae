"""Aliases: what they mean, meant before, and who moved them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae.v1.models_pb2 import Model, ModelChange
from dlae_server.errors import ModelInUse, ModelNotFound, NoEarlierVersion
from dlae_server.jobs.states import Job, enter
from dlae_server.store import Signature, Store

BY = Signature("ada", "better at edges")


def made(store: Store, name: str, count: int) -> None:
    """Stores versions of a name."""
    for _ in range(count):
        number = store.count_by_state().get(Job.STATE_SUCCEEDED, 0)
        job = Job(id=f"{name}-{number}", name=name)
        store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
        store.record_model(Model(name=name, job_id=job.id))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with `m@1` to `m@4`."""
    opened = Store(tmp_path / "dlae.sqlite3")
    made(opened, "m", 4)
    yield opened
    opened.close()


def told(store: Store, name: str = "m") -> list[tuple[str, int, str, int]]:
    """Returns the changes, the oldest first."""
    rows = reversed(store.changes(name, 1000, "")[0])
    kind = ModelChange.Kind.Name
    return [
        (kind(row.kind).removeprefix("KIND_"), row.version, row.alias, row.previous_version)
        for row in rows
    ]


def test_an_alias_means_a_version_until_it_is_moved(store: Store) -> None:
    assert list(store.set_alias("m", 2, "production", BY).aliases) == ["production"]
    assert store.model("m", "production").version == 2
    store.set_alias("m", None, "production", BY)
    store.set_alias("m", "production", "best", BY)
    assert list(store.model("m", 4).aliases) == ["best", "production"]
    assert list(store.model("m", 2).aliases) == []
    assert [list(model.aliases) for model in store.models(2, "")[0]] == [["best", "production"], []]


def test_every_change_is_told_with_who_and_why(store: Store) -> None:
    store.set_alias("m", 1, "production", BY)
    store.set_alias("m", 1, "production", BY)
    store.set_alias("m", 3, "production", BY)
    store.remove_alias("m", "production", Signature("bob", "retired"))
    assert told(store)[4:] == [
        ("ALIAS_SET", 1, "production", 0),
        ("ALIAS_SET", 3, "production", 1),
        ("ALIAS_REMOVED", 3, "production", 3),
    ]
    latest = store.changes("m", 2, "")[0]
    assert [(change.who, change.why) for change in latest] == [
        ("bob", "retired"),
        ("ada", "better at edges"),
    ]
    assert latest[0].time.seconds > 1.7e9


def test_changes_come_in_pages_the_latest_first(store: Store) -> None:
    first, token = store.changes("m", 3, "")
    second, end = store.changes("m", 3, token)
    assert [change.version for change in (*first, *second)] == [4, 3, 2, 1]
    assert end == ""
    assert store.changes("other", 3, "") == ([], "")


def test_rolling_back_walks_through_what_the_alias_meant(store: Store) -> None:
    for version in (1, 2, 4):
        store.set_alias("m", version, "production", BY)
    assert store.roll_back_alias("m", "production", BY).version == 2
    store.set_alias("m", 3, "production", BY)
    assert store.roll_back_alias("m", "production", BY).version == 2
    assert store.roll_back_alias("m", "production", BY).version == 1
    assert told(store)[-1] == ("ALIAS_ROLLED_BACK", 1, "production", 2)
    with pytest.raises(NoEarlierVersion, match="'m@production' has meant no other"):
        store.roll_back_alias("m", "production", BY)
    assert store.model("m", "production").version == 1


def test_rolling_back_passes_over_versions_that_are_gone(store: Store) -> None:
    for version in (1, 2, 3):
        store.set_alias("m", version, "production", BY)
    store.delete_model("m", 2, False, BY)
    assert store.roll_back_alias("m", "production", BY).version == 1


def test_a_removed_alias_forgets_what_it_meant(store: Store) -> None:
    store.set_alias("m", 1, "a", BY)
    store.remove_alias("m", "a", BY)
    store.set_alias("m", 2, "a", BY)
    with pytest.raises(NoEarlierVersion):
        store.roll_back_alias("m", "a", BY)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(ModelNotFound, match="'m@production'"):
        store.model("m", "production")
    with pytest.raises(ModelNotFound):
        store.set_alias("m", 5, "production", BY)
    for change in (store.remove_alias, store.roll_back_alias):
        with pytest.raises(ModelNotFound):
            change("m", "production", BY)
    assert len(told(store)) == 4


def test_a_version_that_an_alias_means_is_deleted_only_by_force(store: Store) -> None:
    store.set_alias("m", 3, "production", BY)
    store.set_alias("m", 3, "best", BY)
    with pytest.raises(ModelInUse, match=r"alias m@best and 1 more needs the model 'm@3'"):
        store.delete_model("m", 3, False, BY)
    assert store.model("m", 3).version == 3
    assert store.delete_model("m", "best", True, BY).version == 3
    with pytest.raises(ModelNotFound):
        store.model("m", 3)
    assert [row[0] for row in told(store)[-3:]] == ["ALIAS_REMOVED", "ALIAS_REMOVED", "DELETED"]
    assert "m-2" not in store.bundles()


def test_the_number_of_a_deleted_version_is_not_given_again(store: Store) -> None:
    for _ in range(4):
        store.delete_model("m", None, False, BY)
    made(store, "m", 1)
    assert store.model("m", None).version == 5


@pytest.mark.parametrize("file", ["jobs/m-0/checkpoint.dlae", "models/m-0/model.keras"])
def test_a_job_that_goes_on_from_a_model_keeps_it_and_names_its_parent(
    store: Store, file: str
) -> None:
    job = Job(id="next", name="m")
    config = (
        '{"config_file": {"type_signal": "Train from Checkpoint"}, '
        f'"paths": {{"load_checkpoint": "/data/{file}"}}}}'
    )
    store.add_job(job, config, enter(job, Job.STATE_QUEUED))
    with pytest.raises(ModelInUse, match="the job next needs the model 'm@1'"):
        store.delete_model("m", 1, False, BY)
    store.record_model(Model(name="m", job_id="next"))
    assert store.model("m", None).parent == "m@1"
    assert store.delete_model("m", 1, False, BY).version == 1


def test_a_session_of_inference_keeps_its_model_until_it_has_ended(store: Store) -> None:
    job = Job(id="session", name="m", model="m@1")
    config = '{"paths": {"load_model": "/data/models/m-0"}}'
    store.add_job(job, config, enter(job, Job.STATE_QUEUED))
    with pytest.raises(ModelInUse, match="the job session needs the model 'm@1'"):
        store.delete_model("m", 1, False, BY)
    store.record("session", lambda job: enter(job, Job.STATE_CANCELLED))
    assert store.delete_model("m", 1, False, BY).version == 1


def test_a_page_goes_on_where_the_last_ended_though_models_went(store: Store) -> None:
    made(store, "z", 1)
    first, token = store.models(2, "")
    store.delete_model("m", 4, False, BY)
    second, _ = store.models(2, token)
    third = store.models(9, "", "m")[0]
    assert [model.version for model in (*first, *second)] == [4, 3, 2, 1]
    assert [model.version for model in third] == [3, 2, 1]


STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "back", "remove", "delete"]), st.integers(1, 4)), max_size=12
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None)
def test_any_course_of_changes_agrees_with_a_stack(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    store = Store(tmp_path_factory.mktemp("course") / "dlae.sqlite3")
    store._connection.execute("PRAGMA synchronous = OFF")
    made(store, "m", 4)
    stack: list[int] = []
    there = {1, 2, 3, 4}
    for what, version in steps:
        if what == "set" and version in there:
            store.set_alias("m", version, "a", BY)
            stack += [version] if not stack or stack[-1] != version else []
        elif what == "remove" and stack:
            store.remove_alias("m", "a", BY)
            stack = []
        elif what == "delete" and version in there and stack[-1:] != [version]:
            store.delete_model("m", version, False, BY)
            there.discard(version)
        elif what == "back" and any(one in there - {stack[-1]} for one in stack):
            store.roll_back_alias("m", "a", BY)
            now = stack[-1]
            while stack[-1] == now or stack[-1] not in there:
                stack.pop()
        if stack:
            assert store.model("m", "a").version == stack[-1]
    store.close()
