"""Files of jobs that go through an object store: here a folder that stands for one."""

import json
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="needs fsspec: pip install -e '.[cluster]'")

from dlae_server.executors.cluster.paths import moved, paths_below
from dlae_server.executors.cluster.store import Store


def _files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"file://{tmp_path}/store")


def test_a_workspace_comes_back_without_what_only_its_process_uses(
    store: Store, tmp_path: Path
) -> None:
    files = {"recovery/1.dlae": "one", "bundle/model.keras": "model"}
    _write(tmp_path / "work", {**files, "cache/large": "x", "lock": ""})
    store.bring(tmp_path / "work", "jobs/a", {})
    assert store.fetch("jobs/a", tmp_path / "there")
    assert _files(tmp_path / "there") == files
    store.remove("jobs/a")
    assert not store.fetch("jobs/a", tmp_path / "nothing")


def test_what_has_changed_is_brought_again_and_what_is_gone_removed(
    store: Store, tmp_path: Path
) -> None:
    work, known = tmp_path / "work", dict[str, tuple[int, int]]()
    _write(work, {"recovery/1": "one", "kept": "same"})
    store.bring(work, "jobs/a", known)
    (work / "recovery" / "1").unlink()
    _write(work, {"recovery/2": "two"})
    (tmp_path / "store" / "jobs" / "a" / "kept").write_text("not brought again")
    store.bring(work, "jobs/a", known)
    assert _files(tmp_path / "store" / "jobs" / "a") == {
        "kept": "not brought again",
        "recovery/2": "two",
    }


def test_files_that_jobs_read_are_brought_once(store: Store, tmp_path: Path) -> None:
    data_dir = tmp_path / "server"
    _write(data_dir, {"datasets/ab/X.h5": "images", "models/m/model.keras": "model"})
    paths = [data_dir / "datasets" / "ab" / "X.h5", data_dir / "models" / "m"]
    store.keep(data_dir, paths)
    kept = tmp_path / "store" / "files" / "datasets" / "ab" / "X.h5"
    kept.write_text("stayed")
    store.keep(data_dir, paths)
    assert kept.read_text() == "stayed"
    for path in paths:
        inner = path.relative_to(data_dir)
        store.fetch(f"files/{inner}", tmp_path / "node" / inner)
    assert _files(tmp_path / "node") == {
        "datasets/ab/X.h5": "stayed",
        "models/m/model.keras": "model",
    }


def test_paths_of_the_data_folder_become_those_of_a_node() -> None:
    config = {"paths": {"train_X": "/s/datasets/X", "test_X": "/s2/X", "name": "/s"}, "n": [1, "a"]}
    found = moved(config, Path("/s"), Path("/tmp/x"))
    assert found == {
        "paths": {"train_X": "/tmp/x/datasets/X", "test_X": "/s2/X", "name": "/tmp/x"},
        "n": [1, "a"],
    }
    assert moved(found, Path("/tmp/x"), Path("/s")) == config
    assert paths_below(Path("/s"), json.dumps(config)) == [Path("/s/datasets/X")]
