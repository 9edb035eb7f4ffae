"""Backups: whole, checked, taken beside a server that goes on, and brought back."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlae_core.errors import CorruptArtifact
from dlae_server.errors import CannotStart
from dlae_server.jobs.states import Job, enter
from dlae_server.main import main
from dlae_server.models.files import remove_bundle
from dlae_server.store import Signature, Store
from dlae_server.upkeep.backup import back_up, restore
from dlae_server.upkeep.checking import all_models, check
from dlae_server.upkeep.copying import Links
from tests.dlae_server.folders import SHA256, add_model, server_folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound folder with an alias and work that is under way, to be copied."""
    made = server_folder(tmp_path_factory.mktemp("sound") / "server")
    store = Store(made / "dlae.sqlite3")
    store.set_alias("m", 1, "production", Signature("ada", "good"))
    store.close()
    (made / "jobs" / "w" / "work").mkdir(parents=True)
    return made


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """Such a folder."""
    return Path(shutil.copytree(sound, tmp_path / "server"))


def run(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(main, ["--data-dir", str(folder), *map(str, words)])


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the files of a folder, but for the store's own."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and "sqlite3" not in path.name
        and path.parent.name != "audit"
        and path.name not in ("lock", "backup.json")
    }


def test_what_is_backed_up_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    done = run(folder, "backup", tmp_path / "copy")
    assert (done.exit_code, done.output) == (0, f"wrote 2 models and 4 jobs to {tmp_path}/copy\n")
    back = tmp_path / "back"
    assert run(back, "restore", tmp_path / "copy").exit_code == 0
    assert contents(back) == contents(folder)
    assert check(back) == []
    stores = [Store(place / "dlae.sqlite3") for place in (folder, back)]
    was, now = ([*all_models(store), *store.jobs(9, "")[0]] for store in stores)
    assert was == now
    assert stores[1].model("m", "production").version == 1
    assert stores[1].changes("m", 1, "")[0][0].why == "good"
    for store in stores:
        store.close()


def test_a_backup_taken_while_models_come_and_go_is_sound(folder: Path, tmp_path: Path) -> None:
    ended = threading.Event()

    def serve() -> None:
        store = Store(folder / "dlae.sqlite3")
        number = 0
        while not ended.is_set():
            add_model(store, folder, f"n{number}", "busy")
            if number % 2:
                gone = store.delete_model("busy", None, True, Signature())
                remove_bundle(folder, gone)
            number += 1
        store.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        for number in range(3):
            back_up(folder, tmp_path / f"copy{number}")
    finally:
        ended.set()
        thread.join()
    for number in range(3):
        restore(tmp_path / f"copy{number}", tmp_path / f"back{number}")
        assert check(tmp_path / f"back{number}") == []


def test_a_damaged_model_is_not_backed_up(folder: Path, tmp_path: Path) -> None:
    (folder / "models/b/history.csv").write_text("x")
    with pytest.raises(CorruptArtifact, match=r"history\.csv is not what was written"):
        back_up(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    (folder / "models/b").rename(tmp_path / "elsewhere")
    assert "the files of model 'm@2' are not there" in run(folder, "backup", tmp_path / "c").output


def test_damaged_data_are_not_backed_up(folder: Path, tmp_path: Path) -> None:
    path = folder / "datasets" / f"{SHA256}.h5"
    path.write_bytes(b"x")
    with pytest.raises(CorruptArtifact, match="is not what was uploaded"):
        back_up(folder, tmp_path / "copy")
    path.unlink()
    with pytest.raises(CorruptArtifact, match="are not there"):
        back_up(folder, tmp_path / "copy")


def test_a_damaged_result_is_not_backed_up(folder: Path, tmp_path: Path) -> None:
    (folder / "jobs/s/results/predictions.h5").write_bytes(b"others")
    with pytest.raises(CorruptArtifact, match=r"predictions\.h5"):
        back_up(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "file", ["jobs/s/results/predictions.h5", "dlae.sqlite3", "models/a/model.keras"]
)
def test_a_damaged_backup_is_not_brought_back(folder: Path, tmp_path: Path, file: str) -> None:
    back_up(folder, tmp_path / "copy")
    content = bytearray((tmp_path / "copy" / file).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "copy" / file).write_bytes(content)
    with pytest.raises(CorruptArtifact):
        restore(tmp_path / "copy", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_that_exists_is_overwritten(folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "copy")
    with pytest.raises(CannotStart, match="expected a new folder"):
        back_up(folder, tmp_path / "copy")
    before = contents(folder)
    with pytest.raises(CannotStart, match="expected a folder without a store"):
        restore(tmp_path / "copy", folder)
    assert contents(folder) == before
    with pytest.raises(CannotStart, match="expected a backup of dlae-server"):
        restore(folder, tmp_path / "back")


def add_paused(folder: Path, job_id: str) -> None:
    """Adds a paused job with its work, which names a data file of the folder."""
    store = Store(folder / "dlae.sqlite3")
    job = Job(id=job_id, name="m")
    config = json.dumps({"paths": {"train_X": f"{folder}/datasets/{SHA256}.h5"}})
    store.add_job(job, config, enter(job, Job.STATE_QUEUED))
    store.record(job_id, lambda job: enter(job, Job.STATE_PAUSED))
    store.close()
    work = folder / "jobs" / job_id / "work"
    for name in ("recovery/1.dlae", "kept/best.dlae", "cache/X", "lock"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)


def test_paused_jobs_are_backed_up_with_their_work_and_find_their_data_elsewhere(
    folder: Path, tmp_path: Path
) -> None:
    add_paused(folder, "p")
    back_up(folder, tmp_path / "copy")
    back = tmp_path / "back"
    restore(tmp_path / "copy", back)
    work = back / "jobs/p/work"
    files = {str(path.relative_to(work)) for path in work.rglob("*") if path.is_file()}
    assert files == {"recovery/1.dlae", "kept/best.dlae"}
    store = Store(back / "dlae.sqlite3")
    assert store.job("p").state == Job.STATE_PAUSED
    assert json.loads(store.config("p"))["paths"]["train_X"] == f"{back}/datasets/{SHA256}.h5"
    store.close()
    assert check(back) == []


def test_the_work_of_a_job_that_goes_on_meanwhile_is_left_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_paused(folder, "p")
    copied = Links.copy_tree

    def copy_tree(links: Links, source: Path, target: Path, without: tuple[str, ...]) -> None:
        monkeypatch.setattr(Links, "copy_tree", copied)
        links.copy_tree(source, target, without)
        store = Store(folder / "dlae.sqlite3")
        store.record("p", lambda job: enter(job, Job.STATE_QUEUED))
        store.close()

    monkeypatch.setattr(Links, "copy_tree", copy_tree)
    back_up(folder, tmp_path / "copy")
    assert not (tmp_path / "copy/jobs/p/work").exists()


def test_what_a_crash_left_is_no_backup_and_is_cleared_away(folder: Path, tmp_path: Path) -> None:
    part = tmp_path / ".copy.writing"
    part.mkdir()
    (part / "rubbish").touch()
    with pytest.raises(CannotStart):
        restore(part, tmp_path / "back")
    back_up(folder, tmp_path / "copy")
    assert not part.exists()
    assert not (tmp_path / "copy" / "rubbish").exists()
    assert json.loads((tmp_path / "copy" / "backup.json").read_text())["models"] == 2
