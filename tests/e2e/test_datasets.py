"""Data of a client brought to a server: what is sent, what is not, and what stays."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
import pytest

from dlae_client import Client
from dlae_client.cli.completion import dataset_names, dataset_references
from dlae_client.cli.datasets import datasets
from dlae_client.cli.main import main
from dlae_client.errors import Exhausted
from tests.dlae_server.processes import ServerProcess, eventually
from tests.sessions import config_text

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "2"))
# An upload that can be killed: a pause after every piece.
SLOWLY = """
import sys, time
from dlae_client import Client
from dlae_client.cli.completion import dataset_names, dataset_references
from dlae_client.cli.datasets import datasets
with Client(sys.argv[1]) as client:
    client.upload(sys.argv[2], progress=lambda *told: time.sleep(0.1))
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that the tests of a module share, with signposts for trainings on uploads."""
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    (process.data_dir / "datasets" / "behaviour").write_text("succeed")
    yield process
    process.stop()


@pytest.fixture
def run(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `dlae-client`, whose hashes are remembered in a folder of its own."""
    monkeypatch.setenv("DLAE_SERVER", server.facts["listen"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(server.data_dir / "cache"))

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dlae-client", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def write(path: Path, value: int = 0, mebibytes: float = 0.001) -> Path:
    """Writes a file of three samples."""
    with h5py.File(path, "w") as file:
        for number in range(3):
            file[str(number)] = np.full(
                int(mebibytes * (1 << 20) / 3) + 1, value + number, np.uint8
            )
    return path


@pytest.fixture
def config(server: ServerProcess, tmp_path: Path) -> Path:
    """A configuration beside its data, which are outside the server's roots."""
    write(tmp_path / "X.h5", 1)
    write(tmp_path / "masks.h5", 2)
    path = tmp_path / "tissue.json"
    path.write_text(config_text(tmp_path))
    return path


def test_train_uploads_what_the_server_cannot_read_and_not_twice(
    server: ServerProcess, run: Run, config: Path
) -> None:
    code, out, err = run("train", config, "--no-upload")
    assert code == 3
    assert "dlae-client datasets upload" in err
    code, out, err = run("train", config)
    assert code == 0, err
    assert "train_X: X.h5, uploaded" in err
    assert "train_y: masks.h5, uploaded" in err
    code, out, err = run("--json", "train", config)
    assert err.count("already there") == 2
    job = json.loads(out)["job"]
    assert server.job(job).name == "tissue"
    log = server.log.read_text()
    assert "X.h5" not in log
    assert "masks" not in log


def test_what_lies_in_a_root_is_read_where_it_lies(
    server: ServerProcess, run: Run, tmp_path: Path
) -> None:
    before = run("--json", "datasets", "list")[1]
    path = tmp_path / "config.json"
    path.write_text(config_text(server.data))
    code, _, err = run("train", path, "--detach")
    assert code == 0
    assert "train_X: X.h5, read where it lies" in err
    assert run("--json", "datasets", "list")[1] == before


def test_errors_name_files_as_they_are_named_here(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate = Client.validate

    def odd(client: Client, source: Any) -> Any:
        answer = validate(client, source)
        sha256 = json.loads(source.json)["paths"]["train_X"].removeprefix("sha256:")
        answer.warnings.add(path="paths.train_X", message=f"{sha256}.h5: dataset '3' is odd")
        return answer

    monkeypatch.setattr(Client, "validate", odd)
    assert "paths.train_X: X.h5: dataset '3' is odd" in run("validate", config)[2]


def test_validate_uploads_too(run: Run, config: Path) -> None:
    write(config.with_name("X.h5"), 9)
    code, _, err = run("validate", config)
    assert code == 0
    assert "train_X: X.h5, uploaded" in err


def test_names_have_versions_and_jobs_keep_their_data(
    server: ServerProcess, run: Run, config: Path
) -> None:
    images, masks = config.with_name("X.h5"), config.with_name("masks.h5")
    for file, name in ((images, "ct"), (masks, "organs"), (masks, "ct")):
        assert run("datasets", "upload", file, "--name", name)[0] == 0
    _, out, _ = run("--json", "datasets", "upload", images, "--name", "ct")
    assert json.loads(out)["names"] == ["ct@1", "ct@3"]
    assert json.loads(out)["sent_bytes"] == 0
    listed = json.loads(run("--json", "datasets", "list", "ct")[1])["datasets"]
    assert [row["samples"] for row in listed] == [3, 3]
    sections = json.loads(config.read_text())
    sections["paths"].update(train_X="dataset:ct@1", train_y="dataset:organs")
    named = config.with_name("named.json")
    named.write_text(json.dumps(sections))
    (server.data_dir / "datasets" / "behaviour").write_text("wait")
    assert run("train", named, "--detach")[0] == 0
    job = next(server_jobs(server))
    shown = json.loads(run("--json", "datasets", "show", "dataset:ct@1")[1])
    assert shown["users"] == [f"job {job}"]
    code, _, err = run("datasets", "delete", "dataset:organs", "--yes")
    # The file has another name: only the one goes.
    assert code == 0
    code, _, err = run("datasets", "delete", f"sha256:{shown['sha256']}", "--yes", "--force")
    assert code == 1
    assert f"job {job} needs the data file" in err
    (server.data_dir / "datasets" / "behaviour").write_text("succeed")
    eventually(lambda: server.job(job).state >= 4)
    code, out, _ = run("--json", "datasets", "delete", f"sha256:{shown['sha256']}", "--yes")
    assert json.loads(out)["file_deleted"]
    assert run("datasets", "show", "dataset:ct@1")[0] == 4


def server_jobs(server: ServerProcess) -> Iterator[str]:
    """Yields the jobs of a server, the latest first."""
    with Client(server.facts["listen"]) as client:
        yield from [job.id for job in client.jobs()]


def test_the_shell_completes_names_and_versions(
    server: ServerProcess, run: Run, config: Path
) -> None:
    run("datasets", "upload", config.with_name("X.h5"), "--name", "completed")
    context = click.Context(datasets)
    context.params["server"] = server.facts["listen"]
    argument = datasets.params[0]
    assert dataset_names(context, argument, "compl") == ["completed"]
    found = dataset_references(context, argument, "dataset:completed@")
    assert found == ["dataset:completed@1"]


def test_a_full_server_says_what_to_delete(tmp_path: Path) -> None:
    small, large = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", 1, mebibytes=2)
    server = RealServer(tmp_path / "server", "--dataset-gib", "0.001")
    try:
        with Client(server.address) as client:
            client.upload(small, "ct")
            with pytest.raises(Exhausted, match=r"delete dataset:ct@1 \(\d+ bytes\)"):
                client.upload(large)
            assert client.datasets_page().limit_bytes == round(0.001 * (1 << 30))
    finally:
        server.kill()


@pytest.mark.parametrize("content", [b"", b"a picture", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_data_is_refused_and_not_kept(
    server: ServerProcess, run: Run, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "Frau Meier.h5"
    path.write_bytes(content)
    code, _, err = run("datasets", "upload", path)
    assert code in (1, 2)
    assert "expected" in err
    assert not list((server.data_dir / "datasets").glob("*.part"))
    assert "Meier" not in server.log.read_text()


def test_a_client_that_is_killed_goes_on_where_it_was(
    server: ServerProcess, tmp_path: Path
) -> None:
    path = write(tmp_path / "X.h5", 3, mebibytes=10 * KILLS)
    folder, address = server.data_dir / "datasets", server.facts["listen"]
    reached = 0
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", SLOWLY, address, str(path)])
        reached = grown(folder, reached)
        process.kill()
        process.wait()
    with Client(address) as client:
        done = client.upload(path)
    assert 0 < done.sent_bytes <= path.stat().st_size - reached
    assert path.read_bytes() in stored(folder)
    assert not list(folder.glob("*.part"))


def test_a_server_that_is_killed_takes_the_rest_when_it_is_back(tmp_path: Path) -> None:
    path = write(tmp_path / "X.h5", 4, mebibytes=10 * KILLS)
    server = RealServer(tmp_path / "server")
    reached = 0
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, server.address, str(path)])
    for _ in range(KILLS):
        reached = grown(server.folder, reached)
        server.kill()
        server.start()
    assert process.wait(timeout=60) == 0
    assert stored(server.folder) == [path.read_bytes()]
    assert not list(server.folder.glob("*.part"))
    server.kill()


def grown(folder: Path, reached: int) -> int:
    """Returns the length of what is on its way in when it is longer than it was."""

    def length() -> int:
        return sum(path.stat().st_size for path in folder.glob("*.part"))

    eventually(lambda: length() > reached, seconds=60)
    return length()


def stored(folder: Path) -> list[bytes]:
    """Returns the files that are there."""
    return [path.read_bytes() for path in folder.glob("*.h5")]


class RealServer:
    """A server on a port of its own, which it keeps."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir, self.folder = data_dir, data_dir / "datasets"
        self._options = options
        self.address = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        """Starts, on the old port where there was one."""
        place = ["--data-dir", str(self.data_dir), "--listen", self.address, "--no-metrics"]
        place += ["--reserve-minutes", "0", *self._options]
        card = self.data_dir / "server.json"
        card.unlink(missing_ok=True)
        command = [sys.executable, "-m", "dlae_server.main", *place]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        eventually(card.exists, seconds=30)
        self.address = json.loads(card.read_text())["listen"]

    def kill(self) -> None:
        """Kills the server."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
