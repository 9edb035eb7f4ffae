"""Files that several models have are there once, and go with the last of them."""

import asyncio
import hashlib
import os
import shutil
import stat
from pathlib import Path

import pytest

from dlae.v1.models_pb2 import Model
from dlae_server.jobs.journal import Journal
from dlae_server.metrics import Metrics
from dlae_server.models import objects
from dlae_server.models.files import remove_bundle
from dlae_server.settings import Settings
from dlae_server.store import Signature, Store
from dlae_server.upkeep.backup import back_up, restore
from dlae_server.upkeep.checking import check, remove_strays
from tests.dlae_server.folders import add_model

NETWORK = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(NETWORK).hexdigest()


def bundle(folder: Path, job_id: str) -> Path:
    return folder / "models" / job_id


def network(folder: Path, job_id: str) -> Path:
    return bundle(folder, job_id) / "model.keras"


def with_models(folder: Path, *job_ids: str, shared: bool = True) -> list[Model]:
    """Adds models to a folder, all of the same network."""
    folder.mkdir(exist_ok=True)
    store = Store(folder / "dlae.sqlite3")
    models = [add_model(store, folder, job_id) for job_id in job_ids]
    store.close()
    for model in models if shared else ():
        objects.share(folder, bundle(folder, model.bundle), model.files)
    return models


def delete(folder: Path, model: Model) -> None:
    store = Store(folder / "dlae.sqlite3")
    store.delete_model(model.name, model.version, False, Signature())
    store.close()
    remove_bundle(folder, model)


def tidied(folder: Path) -> None:
    """Does what a server does after its start."""

    async def work() -> None:
        journal = Journal(Settings("127.0.0.1:0", folder, (folder,), None), Metrics())
        await objects.tidy(folder, journal)
        await journal.close()

    asyncio.run(work())


def test_models_of_the_same_network_have_it_once_and_nobody_writes_through_one(
    tmp_path: Path,
) -> None:
    with_models(tmp_path, "a", "b")
    kept = objects.object_file(tmp_path, SHA256)
    assert kept == tmp_path / "objects" / SHA256[:2] / SHA256
    assert kept.samefile(network(tmp_path, "a"))
    assert kept.samefile(network(tmp_path, "b"))
    assert kept.read_bytes() == NETWORK
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    # Both manifests and histories are the same here as well.
    assert {path.stat().st_nlink for path in objects.all_objects(tmp_path)} == {3}
    assert check(tmp_path) == []


def test_a_file_goes_with_the_last_model_that_has_it(tmp_path: Path) -> None:
    first, second = with_models(tmp_path, "a", "b")
    delete(tmp_path, first)
    assert network(tmp_path, "b").read_bytes() == NETWORK
    assert check(tmp_path) == []
    delete(tmp_path, second)
    assert list(objects.all_objects(tmp_path)) == []


def test_a_model_is_whole_whatever_becomes_of_the_objects(tmp_path: Path) -> None:
    first, second = with_models(tmp_path, "a", "b")
    shutil.rmtree(tmp_path / "objects")
    assert check(tmp_path) == []
    objects.collect(tmp_path, first.files)
    tidied(tmp_path)
    assert network(tmp_path, "a").samefile(network(tmp_path, "b"))
    assert check(tmp_path) == []
    delete(tmp_path, second)
    assert network(tmp_path, "a").read_bytes() == NETWORK


def test_a_folder_of_an_earlier_version_is_shared_once_a_server_runs(tmp_path: Path) -> None:
    with_models(tmp_path, "a", "b", shared=False)
    assert not network(tmp_path, "a").samefile(network(tmp_path, "b"))
    tidied(tmp_path)
    assert network(tmp_path, "a").samefile(network(tmp_path, "b"))
    assert check(tmp_path) == []


def test_a_damaged_object_is_not_handed_on(tmp_path: Path) -> None:
    with_models(tmp_path, "a")
    kept = objects.object_file(tmp_path, SHA256)
    kept.chmod(0o644)
    with kept.open("r+b") as file:
        file.write(b"x")
    with_models(tmp_path, "b")
    assert network(tmp_path, "b").read_bytes() == NETWORK
    assert kept.samefile(network(tmp_path, "b"))
    assert [finding.place for finding in check(tmp_path)] == ["model m@1"]


def test_files_stay_files_where_links_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*places: object) -> None:
        raise PermissionError(1, "links are not allowed")

    monkeypatch.setattr(os, "link", refuse)
    first, _ = with_models(tmp_path, "a", "b")
    assert list(objects.all_objects(tmp_path)) == []
    assert check(tmp_path) == []
    back_up(tmp_path, tmp_path / "copy")
    assert network(tmp_path / "copy", "b").read_bytes() == NETWORK
    delete(tmp_path, first)
    assert network(tmp_path, "b").read_bytes() == NETWORK


def test_what_a_crash_has_left_is_told_and_swept(tmp_path: Path) -> None:
    (model,) = with_models(tmp_path, "a")
    orphan = objects.object_file(tmp_path, "0" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"x")
    passing = objects.object_file(tmp_path, SHA256).with_name(".x.linking")
    os.link(network(tmp_path, "a"), passing)
    assert {finding.problem for finding in check(tmp_path)} == {
        "belongs to no model",
        "is not what its name says",
    }
    assert remove_strays(check(tmp_path)) == []
    orphan.write_bytes(b"x")
    os.link(network(tmp_path, "a"), passing)
    tidied(tmp_path)
    assert not orphan.exists()
    assert not passing.exists()
    assert len(list(objects.all_objects(tmp_path))) == len(model.files)


def test_backups_and_what_comes_of_them_have_it_once(tmp_path: Path) -> None:
    with_models(tmp_path / "server", "a", "b")
    back_up(tmp_path / "server", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "back")
    for place in (tmp_path / "copy", tmp_path / "back"):
        assert network(place, "a").samefile(network(place, "b"))
        assert not network(place, "a").samefile(network(tmp_path / "server", "a"))
    tidied(tmp_path / "back")
    assert check(tmp_path / "back") == []
    assert objects.object_file(tmp_path / "back", SHA256).read_bytes() == NETWORK
