"""A server killed at any instant keeps what it has told of its models, and shows nothing else."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlae_client import Client, ClientError
from dlae_server.upkeep.checking import check
from tests.dlae_server.processes import ServerProcess, killable

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "3"))
LONGEST_SECONDS = 0.8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test kills."""
    with killable(tmp_path) as process:
        yield process


class Curator(threading.Thread):
    """Names versions and deletes old ones until the server is gone.

    Attributes:
        told: What the server has said that `m@production` means; 0: nothing yet.
        asked: What it was asked for last, and may or may not mean.
        deleted: Versions whose deletion was asked for.
    """

    def __init__(self, address: str, told: int, deleted: set[int]) -> None:
        super().__init__()
        self._address = address
        self.told, self.asked, self.deleted = told, told, deleted

    def run(self) -> None:
        """Works until a call fails."""
        try:
            with Client(self._address) as client:
                while True:
                    self._step(client)
        except ClientError:
            return

    def _step(self, client: Client) -> None:
        versions = [model.version for model in client.models("m")]
        if not versions:
            time.sleep(0.01)
            return
        self.asked = random.choice(versions)
        client.set_alias(f"m@{self.asked}", "production")
        self.told = self.asked
        for version in versions[4:]:
            if version != self.told:
                self.deleted.add(version)
                client.delete_model(f"m@{version}")


def test_nothing_told_is_lost_and_nothing_half_done_is_seen(server: ServerProcess) -> None:
    told, deleted, jobs = 0, set[int](), list[str]()
    for _ in range(KILLS):
        curator = Curator(server.facts["listen"], told, deleted)
        jobs += [server.train("m").id for _ in range(2)]
        curator.start()
        time.sleep(random.uniform(0.05, LONGEST_SECONDS))
        server.stop(signal.SIGKILL)
        curator.join()
        # Folders that nobody is told of may be left; everything else must be right already.
        assert [one for one in check(server.data_dir) if not one.stray] == []
        server.start()
        for job in jobs:
            server.events(job)
        with Client(server.facts["listen"]) as client:
            seen = {model.version for model in client.models("m")}
            made = {int(server.job(job).model.partition("@")[2]) for job in jobs}
            assert made == set(range(1, len(jobs) + 1))
            assert made - deleted <= seen <= made
            if curator.told or curator.asked:
                try:
                    told = client.model("m@production").version
                except ClientError:
                    told = 0
                assert told in {curator.told, curator.asked}
        assert check(server.data_dir) == []
