"""`dlae-server fsck`: silent where all is well, and not fooled where it is not."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlae_server.locking import locked
from dlae_server.main import main
from dlae_server.upkeep.checking import check
from tests.dlae_server.folders import SHA256, server_folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound folder of a server, to be copied."""
    return server_folder(tmp_path_factory.mktemp("sound") / "server")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A sound folder of a server."""
    return Path(shutil.copytree(sound, tmp_path / "server"))


def fsck(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["--data-dir", str(folder), "fsck", *options])


def alter(folder: Path, statement: str) -> None:
    """Changes the store behind everybody's back."""
    with sqlite3.connect(folder / "dlae.sqlite3") as connection:
        connection.execute(statement)
    connection.close()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_sound_folder_has_no_findings(folder: Path) -> None:
    assert check(folder) == []
    done = fsck(folder)
    assert (done.exit_code, done.output) == (0, "all is sound\n")
    assert json.loads(fsck(folder, "--json").output) == {"sound": True, "findings": []}


HARM: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (
        lambda folder: flip(folder / "models/a/model.keras"),
        "model m@1: the model file model.keras is not what was written",
    ),
    "a manifest of others": (
        lambda folder: (folder / "models/b/manifest.json").write_bytes(
            (folder / "models/a/manifest.json").read_bytes().replace(b'"seed": 1', b'"seed": 2')
        ),
        "model m@2: manifest.json is not what the store says",
    ),
    "a folder that is gone": (
        lambda folder: (folder / "models/b").rename(folder / "elsewhere"),
        "model m@2: the model file manifest.json cannot be read",
    ),
    "a folder too many": (
        lambda folder: (folder / "models/x").mkdir(),
        "folder models/x: belongs to no model",
    ),
    "a half-removed model": (
        lambda folder: (folder / "models/.leaving-x").mkdir(),
        "folder models/.leaving-x: belongs to no model",
    ),
    "a data file that is gone": (
        lambda folder: (folder / f"datasets/{SHA256}.h5").unlink(),
        f"data file sha256:{SHA256}: is not there, or not what was uploaded",
    ),
    "a data file of others": (
        lambda folder: flip(folder / f"datasets/{SHA256}.h5"),
        f"data file sha256:{SHA256}: is not there, or not what was uploaded",
    ),
    "work of no job": (
        lambda folder: (folder / "jobs/x").mkdir(),
        "folder jobs/x: belongs to no job",
    ),
    "a job filed wrongly": (
        lambda folder: alter(folder, "UPDATE jobs SET state = 5 WHERE id = 'a'"),
        "job a: is filed under another state",
    ),
    "an event that is gone": (
        lambda folder: alter(folder, "DELETE FROM events WHERE job_id = 'b' AND sequence = 4"),
        "job b: has 3 events, but says 4",
    ),
    "a result that is another": (
        lambda folder: flip(folder / "jobs/s/results/predictions.h5"),
        "job s: its result predictions.h5 is not there, or not what was written",
    ),
    "an alias of nothing": (
        lambda folder: alter(folder, "INSERT INTO aliases VALUES ('m', 'x', 9)"),
        "store: a row of aliases refers to nothing in models",
    ),
}


@pytest.mark.parametrize("what", HARM)
def test_every_kind_of_harm_is_found_and_named(folder: Path, what: str) -> None:
    harm, sentence = HARM[what]
    harm(folder)
    done = fsck(folder)
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert done.output.startswith(sentence)


def test_folders_that_nothing_needs_are_removed_on_demand_and_nothing_else(folder: Path) -> None:
    for name in ("models/x", "models/.coming-y", "jobs/x"):
        (folder / name).mkdir()
    flip(folder / "models/a/model.keras")
    done = fsck(folder, "--remove-strays")
    assert done.output.count("\n") == 1
    assert done.output.startswith("model m@1: the model file model.keras is not what was written")
    assert {path.name for path in (folder / "models").iterdir()} == {"a", "b"}
    assert {path.name for path in (folder / "jobs").iterdir()} == {"a", "b", "s"}


def test_nothing_is_removed_beside_a_running_server(folder: Path) -> None:
    (folder / "models/x").mkdir()
    with locked(folder):
        done = fsck(folder, "--remove-strays")
        assert "another dlae-server uses" in done.output
        assert "belongs to no model" in fsck(folder).output
    assert (folder / "models/x").is_dir()


def test_the_model_of_a_job_that_is_just_ending_is_no_stray(folder: Path) -> None:
    (folder / "models/w").mkdir()
    assert check(folder) == []


def test_a_folder_without_a_store_is_told(tmp_path: Path) -> None:
    done = fsck(tmp_path)
    assert done.exit_code == 1
    assert "expected the folder of a server, got no dlae.sqlite3" in done.output
    assert list(tmp_path.iterdir()) == []
