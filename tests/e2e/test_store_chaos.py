"""Servers, clients and backups killed, and disks full, at any instant: models stay whole.

All models of these tests have the same network, so that they share its file.
"""

import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dlae.v1.models_pb2 import Model
from dlae.v1.training_pb2 import Job
from dlae_client import Client, ClientError
from dlae_client.errors import Exhausted, ServerUnreachable
from dlae_core.bundle import MANIFEST_FILE, Bundle
from dlae_server.models.objects import all_objects, object_file
from dlae_server.upkeep.backup import restore
from dlae_server.upkeep.checking import check
from tests.dlae_server.processes import ServerProcess, eventually, killable

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "4"))
LONGEST_SECONDS = 0.8
UNLIMITED = resource.RLIM_INFINITY
# Fetches models, or makes backups, one after the other, until it is killed.
FETCHES = """
import itertools, sys
from pathlib import Path
from dlae_client import Client, ClientError
with Client(sys.argv[1], reconnect_seconds=0) as client:
    for number in itertools.count():
        try:
            client.fetch("m", Path(sys.argv[2]) / f"{sys.argv[3]}-{number}")
        except ClientError:
            pass
"""
BACKS_UP = """
import itertools, sys
from pathlib import Path
from dlae_core.errors import DlaeError
from dlae_server.upkeep.backup import back_up
for number in itertools.count():
    try:
        back_up(Path(sys.argv[1]), Path(sys.argv[2]) / f"{sys.argv[3]}-{number}")
    except DlaeError:
        pass
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test kills."""
    with killable(tmp_path) as process:
        yield process


class Owner(threading.Thread):
    """Trains models, names and deletes them until the server is gone.

    Attributes:
        jobs: Trainings that the server has told of.
        deleted: Versions whose deletion was asked for.
        alias: Versions that `m@production` may mean; 0: none.
        problems: Reasons of calls that failed although the server was there.
    """

    def __init__(self, server: ServerProcess, alias: set[int]) -> None:
        super().__init__()
        self._server = server
        self._config = json.loads(server.source().json)
        self.alias = alias
        self.jobs: list[str] = []
        self.deleted: set[int] = set()
        self.problems: set[str] = set()

    def run(self) -> None:
        """Works until a call finds nobody."""
        with Client(self._server.facts["listen"], reconnect_seconds=0) as client:
            while True:
                try:
                    self._step(client)
                except ServerUnreachable:
                    return
                except ClientError as error:
                    self.problems.add(error.reason)

    def _step(self, client: Client) -> None:
        models = list(client.models("m"))
        if len(models) < 3 or random.random() < 0.3:
            with suppress(Exhausted):
                self.jobs.append(client.train(self._config, "m").id)
        elif random.random() < 0.3:
            version = random.choice(models).version
            self.alias |= {version}
            client.set_alias(f"m@{version}", "production")
            self.alias = {version}
        else:
            free = [model.version for model in models if not model.aliases]
            if free:
                self.deleted.add(gone := random.choice(free))
                client.delete_model(f"m@{gone}")
        time.sleep(random.uniform(0, 0.02))


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _helper(program: str, *words: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", program, *map(str, words)])


def _fill_the_disk(server: ServerProcess, folder: Path, number: int) -> None:
    """Lets no file of the server grow beyond a length for a while, as where a quota is used up."""
    folders = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    _limit(server.process.pid, random.choice([1 << 12, 1 << 16, 1 << 18]))
    time.sleep(random.uniform(0.05, 0.4))
    children = [int(pid) for one in folders for pid in one.read_text().split()]
    for pid in (server.process.pid, *children):
        _limit(pid, UNLIMITED)
    time.sleep(random.uniform(0, 0.2))


def _limit(pid: int, length: int) -> None:
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (length, UNLIMITED))


def _kill_a_fetch(server: ServerProcess, folder: Path, number: int) -> None:
    """Kills a client while it fetches."""
    client = _helper(FETCHES, server.facts["listen"], folder / "fetched", number)
    time.sleep(random.uniform(0.4, 0.4 + LONGEST_SECONDS))
    _kill(client)


def _kill_a_backup(server: ServerProcess, folder: Path, number: int) -> None:
    """Kills a backup."""
    backup = _helper(BACKS_UP, server.data_dir, folder / "backups", number)
    time.sleep(random.uniform(0.4, 0.4 + LONGEST_SECONDS))
    _kill(backup)


def _kill_the_server_under_a_fetch(server: ServerProcess, folder: Path, number: int) -> None:
    """Kills the server while a client fetches."""
    client = _helper(FETCHES, server.facts["listen"], folder / "fetched", number)
    time.sleep(random.uniform(0.4, 0.4 + LONGEST_SECONDS))
    server.process.kill()
    time.sleep(0.05)
    _kill(client)


HARM: tuple[Callable[[ServerProcess, Path, int], None], ...] = (
    _fill_the_disk,
    _kill_a_fetch,
    _kill_a_backup,
    _kill_the_server_under_a_fetch,
)


@pytest.mark.timeout(120 + 30 * KILLS)
def test_whatever_is_killed_or_full_nothing_told_is_lost(
    server: ServerProcess, tmp_path: Path
) -> None:
    for name in ("fetched", "backups"):
        (tmp_path / name).mkdir()
    jobs, deleted, alias = list[str](), set[int](), {0}
    for number in range(KILLS):
        owner = Owner(server, alias)
        owner.start()
        time.sleep(random.uniform(0.05, LONGEST_SECONDS))
        HARM[number % len(HARM)](server, tmp_path, number)
        _kill(server.process)
        server.channel.close()
        owner.join(30)
        assert not owner.is_alive()
        assert owner.problems <= {"STORAGE_FAILED", "MODEL_IN_USE", "MODEL_NOT_FOUND"}
        jobs, deleted, alias = jobs + owner.jobs, deleted | owner.deleted, owner.alias
        assert [one for one in check(server.data_dir) if not one.stray] == []
        _require_whole(tmp_path / "fetched")
        _require_restorable(tmp_path, number)
        server.start()
        alias = _compared(server, jobs, deleted, alias)
    assert jobs


def _compared(
    server: ServerProcess, jobs: list[str], deleted: set[int], alias: set[int]
) -> set[int]:
    """Compares what a server knows with what it was told; returns what the alias means."""
    for job in jobs:
        server.events(job)
    ended = [server.job(job) for job in jobs]
    # Where the disk was full, a job may have failed, and says so.
    failed = [job for job in ended if job.state != Job.STATE_SUCCEEDED]
    assert {job.error.reason for job in failed} <= {"STORAGE_FAILED", "WORKER_DIED", "INTERNAL"}
    made = {int(job.model.partition("@")[2]) for job in ended if job not in failed}
    with Client(server.facts["listen"]) as client:
        models = {model.version: model for model in client.models("m")}
        assert made - deleted <= models.keys()
        means = {one.version for one in models.values() if "production" in one.aliases} or {0}
        assert means <= alias
    eventually(lambda: check(server.data_dir) == [])
    _require_shared(server.data_dir, list(models.values()))
    return means


def _require_shared(data_dir: Path, models: list[Model]) -> None:
    """Fails where files of models are there twice, or more of them than models need."""
    files = {(model.bundle, file.name): file.sha256 for model in models for file in model.files}
    for (bundle, name), sha256 in files.items():
        assert object_file(data_dir, sha256).samefile(data_dir / "models" / bundle / name)
    assert {path.name for path in all_objects(data_dir)} == set(files.values())


def _require_whole(folder: Path) -> None:
    """Fails where a fetched model is there that is not whole."""
    for path in folder.iterdir():
        if not path.name.startswith("."):
            assert (path / MANIFEST_FILE).exists()
            Bundle.open(path)


def _require_restorable(folder: Path, number: int) -> None:
    """Fails where a backup is there that does not come back whole."""
    made = sorted((folder / "backups").glob(f"{number}-*"))
    for path in made[-1:]:
        restore(path, folder / "back" / path.name)
        assert check(folder / "back" / path.name) == []
