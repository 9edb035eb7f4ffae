"""References to data in configurations, and files that jobs and models need."""

from pathlib import Path

import pytest

from dlae.v1 import models_pb2
from dlae.v1.config_pb2 import Config
from dlae.v1.datasets_pb2 import Dataset
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.datasets.files import dataset_file
from dlae_server.datasets.receiving import Receiver
from dlae_server.datasets.references import Reference, data_in_place, parse_dataset
from dlae_server.datasets.roots import path_violations
from dlae_server.errors import DatasetInUse, DatasetNotFound, InvalidRequest
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import Job, enter
from dlae_server.store import Store
from tests.dlae_server.datasets.uploads import with_receiver

A, B, GROUPS, NETWORK = "a" * 64, "b" * 64, "c" * 64, "d" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of three files: `ct` was A, is B; a table of groups has no name."""
    store = Store(tmp_path / "dlae.sqlite3")
    samples, table = Dataset.KIND_SAMPLES, Dataset.KIND_GROUPS
    store.add_dataset(Dataset(sha256=A, size_bytes=5, kind=samples), "ct")
    store.add_dataset(Dataset(sha256=B, size_bytes=7, kind=samples), "ct")
    store.add_dataset(Dataset(sha256=GROUPS, size_bytes=1, kind=table), "")
    return store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"sha256:{A}", Reference(sha256=A)),
        ("dataset:ct", Reference(name="ct")),
        ("dataset:ct@12", Reference(name="ct", version=12)),
    ],
)
def test_a_reference_says_content_or_name(text: str, found: Reference) -> None:
    assert parse_dataset(text) == found
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "ct", "sha256:abc", f"sha256:{A.upper()}", "dataset:", "dataset:CT", "dataset:ct@0"),
        *("dataset:ct@new", f"sha256:{A}/../x", f"sha256:{A}\n", "dataset:../x"),
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_dataset(text)


def placed(folder: Path, session: str = "", **paths: str) -> tuple[Config, list[Violation]]:
    """Puts files in the place of references."""
    config = Config()
    config.config_file.type_signal = session
    for field, text in paths.items():
        setattr(config.paths, field, text)

    async def work(receiver: Receiver, journal: Journal) -> list[Violation]:
        return await data_in_place(config, journal, folder)

    return config, with_receiver(folder, work)


def test_files_stand_in_the_place_of_references(store: Store, tmp_path: Path) -> None:
    store.close()
    names = {"train_x": "dataset:ct", "train_y": "dataset:ct@1", "split_groups": f"sha256:{GROUPS}"}
    config, violations = placed(tmp_path, validation_x="/elsewhere/X.h5", **names)
    assert violations == []
    assert config.paths.train_x == str(dataset_file(tmp_path, B))
    assert config.paths.train_y == str(dataset_file(tmp_path, A))
    assert config.paths.split_groups == str(dataset_file(tmp_path, GROUPS))
    assert config.paths.validation_x == "/elsewhere/X.h5"


@pytest.mark.parametrize(
    ("session", "field"),
    [("Inference", "load_model"), ("Train from Checkpoint", "load_checkpoint")],
)
def test_a_network_may_be_one_that_the_server_keeps(
    store: Store, tmp_path: Path, session: str, field: str
) -> None:
    store.add_dataset(Dataset(sha256=NETWORK, size_bytes=3, kind=Dataset.KIND_NETWORK), "")
    store.close()
    config, violations = placed(tmp_path, session, **{field: f"sha256:{NETWORK}"})
    assert (violations, getattr(config.paths, field)) == ([], str(dataset_file(tmp_path, NETWORK)))
    # It passes for no file of the server's folders by itself.
    config.paths.ClearField(field)
    setattr(config.paths, field, f"sha256:{NETWORK}")
    assert list(path_violations(config, [])) == []
    _, (found,) = placed(tmp_path, session, **{field: "dataset:ct"})
    assert (found.path, "a network, but" in found.message) == (f"paths.{field}", True)
    # Others read neither.
    assert placed(tmp_path, "Train", **{field: "dataset:ct"})[1] == []


def test_every_reference_that_means_nothing_is_told(store: Store, tmp_path: Path) -> None:
    store.close()
    names = {"train_x": "dataset:mr", "train_y": "sha256:1", "validation_x": "dataset:ct@9"}
    _, found = placed(tmp_path, validation_y=f"sha256:{GROUPS}", **names)
    assert [(row.path, row.reason) for row in found] == [
        ("paths.train_X", "DATASET_NOT_FOUND"),
        ("paths.train_y", "DATASET_NOT_FOUND"),
        ("paths.validation_X", "DATASET_NOT_FOUND"),
        ("paths.validation_y", "UNUSABLE_DATASET"),
    ]


def add_job(store: Store, sha256: str) -> Job:
    """Records a job that trains with a file."""
    job = Job(id="j", name="m")
    config = f'{{"paths": {{"train_X": "{dataset_file(store.folder, sha256)}"}}}}'
    return store.add_job(job, config, enter(job, Job.STATE_QUEUED))


def test_a_file_goes_with_its_last_name_and_numbers_are_given_once(store: Store) -> None:
    store.add_dataset(store.dataset(Reference(sha256=B)), "mr")
    dataset, is_gone = store.delete_dataset(parse_dataset("dataset:ct"), False)
    assert (dataset.sha256, is_gone) == (B, False)
    assert store.dataset(parse_dataset("dataset:ct")).sha256 == A
    assert store.delete_dataset(parse_dataset("dataset:mr"), False)[1]
    with pytest.raises(DatasetNotFound):
        store.dataset(Reference(sha256=B))
    again = store.add_dataset(Dataset(sha256=B, size_bytes=7), "ct")
    assert [(one.name, one.version) for one in again.versions] == [("ct", 3)]
    assert store.dataset_bytes() == 13


def test_what_a_job_needs_stays_until_it_has_ended(store: Store) -> None:
    add_job(store, A)
    for force in (False, True):
        with pytest.raises(DatasetInUse, match="job j needs"):
            store.delete_dataset(parse_dataset("dataset:ct@1"), force)
    assert store.dataset_users(A) == ["job j"]
    store.record("j", lambda job: enter(job, Job.STATE_CANCELLED))
    assert store.delete_dataset(parse_dataset("dataset:ct@1"), False)[1]


def test_what_a_model_was_trained_with_goes_by_force_only(store: Store) -> None:
    add_job(store, A)
    model = models_pb2.Model(name="m", job_id="j")
    model.data["train_X"].sha256 = B
    store.record_model(model)
    with pytest.raises(DatasetInUse, match="model m@1 needs"):
        store.delete_dataset(Reference(sha256=B), False)
    assert [one.sha256 for one in store.unused_datasets(3)] == [A, GROUPS]
    assert store.delete_dataset(Reference(sha256=B), True)[1]
    assert store.model("m", 1).data["train_X"].sha256 == B


def test_a_job_whose_data_have_just_been_deleted_is_not_recorded(store: Store) -> None:
    store.delete_dataset(Reference(sha256=A), False)
    with pytest.raises(InvalidConfig, match="no data file 'sha256:a"):
        add_job(store, A)
    assert not store.has_job("j")


def test_pages_hold_every_file_once_the_latest_first(store: Store) -> None:
    found, token = store.datasets(2, "")
    rest, end = store.datasets(2, token)
    assert [one.sha256 for one in (*found, *rest)] == [GROUPS, B, A]
    assert end == ""
    assert [one.sha256 for one in store.datasets(9, "", "ct")[0]] == [B, A]
    with pytest.raises(InvalidRequest):
        store.datasets(2, "x")
