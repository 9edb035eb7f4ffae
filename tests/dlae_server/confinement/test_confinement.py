"""What a worker can do, tried by one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_server.confinement import kernel
from dlae_server.confinement.environment import DATA_DIR, DATA_ROOTS, worker_environment
from dlae_server.confinement.rights import log_confinement
from dlae_server.confinement.scratch import new_scratch, sweep

ATTEMPTS = Path(__file__).with_name("attempts.py")
FILES = pytest.mark.skipif(not kernel.landlock_version(), reason="the kernel has no Landlock")
NETWORK = pytest.mark.skipif(not kernel.may_forbid_network(), reason="not known for this machine")

Told = dict[str, Any]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a confined worker could do."""
    folder = tmp_path_factory.mktemp("confinement")
    job, outside = folder / "server" / "jobs" / "1", folder / "outside"
    for one in (job, folder / "server" / "models", folder / "root", outside):
        one.mkdir(parents=True)
    for name in ("root/X.h5", "outside/patients", "server/tokens.json", "server/dlae.db"):
        (folder / name).touch()
    (folder / "root" / "link").symlink_to(outside / "patients")
    environment = {
        **worker_environment(),
        "DLAE_DATA_DIR": str(folder / "server"),
        "DLAE_DATA_ROOTS": str(folder / "root"),
    }
    command = [sys.executable, ATTEMPTS, job, outside]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdout is not None
        found: Told = json.loads(process.stdout.readline())
        sweep(folder / "server")
        found["scratch lives"] = Path(found["scratch"]).is_dir()
        process.kill()
        process.wait()
        sweep(folder / "server")
        found["scratch is swept"] = not Path(found["scratch"]).exists()
    return found


@FILES
@pytest.mark.parametrize(
    "attempt",
    [
        "read by a link in a data root",
        "read elsewhere",
        "read tokens",
        "read the store",
        "read another process",
        "write elsewhere",
        "write a data file",
        "remove a data file",
        "write a model",
        "make a link",
        "write in another job",
    ],
)
def test_a_worker_reaches_no_files_but_its_own(attempt: str, told: Told) -> None:
    assert told[attempt] is False


@pytest.mark.parametrize(
    "attempt",
    [
        "read a data file",
        "write in the jobs",
        "write in its job",
        "write temporary files",
        "run a program",
        "talk to itself",
    ],
)
def test_a_worker_can_do_what_it_has_to(attempt: str, told: Told) -> None:
    assert told[attempt] is True


@NETWORK
@pytest.mark.parametrize("attempt", ["connect", "send a datagram"])
def test_a_worker_has_no_network(attempt: str, told: Told) -> None:
    assert told[attempt] is False


@pytest.mark.skipif(kernel.landlock_version() < 6, reason="Landlock scopes no signals here")
def test_a_worker_ends_no_other_process(told: Told) -> None:
    assert told["end another process"] is False


def test_a_worker_leaves_neither_core_dumps_nor_readable_files(told: Told) -> None:
    assert (told["umask"], told["core"]) == (0o077, [0, 0])
    assert (told["memory is readable"], told["gains nothing"]) == (0, 1)
    assert told["files"] <= 4096
    assert told["goes first"] == "500"


def test_temporary_files_live_as_long_as_their_worker_however_it_ends(told: Told) -> None:
    assert "server/scratch/" in told["scratch"]
    assert told["scratch lives"]
    assert told["scratch is swept"]


def test_giving_up_rights_takes_a_few_milliseconds(told: Told) -> None:
    assert told["seconds"] < 0.02


def test_a_worker_is_told_nothing_of_tokens_clouds_and_proxies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = ("DLAE_TOKEN", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY", "KUBECONFIG", "SSH_AUTH_SOCK")
    for name in secret:
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = worker_environment({"TF_CPP_MIN_LOG_LEVEL": "2"})
    assert "secret" not in environment.values()
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["TF_CPP_MIN_LOG_LEVEL"] == "2"
    assert "PATH" in environment


def test_modules_are_not_taken_from_the_folder_of_data(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(7)")
    command = [sys.executable, "-m", "dlae_server.confinement", "datasets.arrival_worker"]
    done = subprocess.run(
        command, cwd=tmp_path, env=worker_environment(), stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize(("root", "is_warned"), [("", True), ("server", True), ("data", False)])
def test_a_data_root_that_holds_the_servers_folder_is_warned_of(
    root: str,
    is_warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "server").mkdir()
    monkeypatch.setenv(DATA_DIR, str(tmp_path / "server"))
    monkeypatch.setenv(DATA_ROOTS, os.pathsep.join(("/elsewhere", str(tmp_path / root))))
    log_confinement()
    told = [one for one in caplog.messages if one.startswith("workers can read all of the data")]
    assert len(told) == is_warned


def test_folders_that_others_lock_are_left_alone(tmp_path: Path) -> None:
    own = new_scratch(tmp_path)
    (tmp_path / "scratch" / "left").mkdir()
    (tmp_path / "scratch" / "left" / "file").touch()
    (tmp_path / "scratch" / "link").symlink_to(tmp_path)
    other = new_scratch(tmp_path)
    assert own != other
    assert own.is_dir()
    assert not (tmp_path / "scratch" / "left").exists()
    assert tmp_path.is_dir()


@FILES
def test_who_looks_into_a_file_sees_no_other(tmp_path: Path) -> None:
    seen, beside, hidden = (tmp_path / name for name in ("server/a.h5", "server/b.h5", "c.h5"))
    seen.parent.mkdir()
    for path in (seen, beside, hidden):
        with h5py.File(path, "w") as file:
            file["0"] = np.zeros(3)
    (link := seen.with_name("link.h5")).symlink_to(hidden)
    environment = {**worker_environment(), "DLAE_DATA_DIR": str(seen.parent)}
    program = (
        "import sys, pathlib; from dlae_server.confinement import rights\n"
        "rights.confine_to_reading(pathlib.Path(sys.argv[1]))\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(len(open(name, 'rb').read()) > 0)\n"
        "    except PermissionError: print(False)\n"
    )
    command = [sys.executable, "-c", program, seen, beside, hidden, link]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False", "False"]


@FILES
def test_a_confined_worker_looks_into_what_came(tmp_path: Path) -> None:
    came = tmp_path / "datasets" / "a.part"
    came.parent.mkdir()
    with h5py.File(came, "w") as file:
        file["0"] = np.zeros(3)
    environment = {**worker_environment(), "DLAE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "dlae_server.confinement", "datasets.arrival_worker"]
    line = json.dumps({"file": str(came)}) + "\n"
    done = subprocess.run(
        command, input=line, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["result"]["samples"] == 1
