"""A server killed at any instant keeps the data that it told of, and shows nothing half done."""

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
from tests.dlae_server.datasets.uploads import samples
from tests.dlae_server.processes import ServerProcess, killable

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "3"))
LONGEST_SECONDS = 0.8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test kills."""
    with killable(tmp_path) as process:
        yield process


class Owner(threading.Thread):
    """Uploads files and deletes old ones until the server is gone.

    Attributes:
        told: SHA-256 of what the server has said that it keeps.
        deleted: Of what its deletion was asked for.
        names: Versions of `ct` that were told, and their SHA-256.
    """

    def __init__(self, address: str, folder: Path, draw: random.Random) -> None:
        super().__init__()
        self._address = address
        self._folder = folder
        self._draw = draw
        self.told: set[str] = set()
        self.deleted: set[str] = set()
        self.names: dict[int, str] = {}

    def run(self) -> None:
        """Works until a call fails."""
        try:
            with Client(self._address, reconnect_seconds=0) as client:
                while True:
                    self._step(client)
        except ClientError:
            return

    def _step(self, client: Client) -> None:
        path = self._folder / "X.h5"
        path.write_bytes(samples(self._draw.randint(1, 40), self._draw.randint(0, 200)))
        stored = client.upload(path, "ct").dataset
        self.deleted.discard(stored.sha256)
        self.told.add(stored.sha256)
        self.names[max(one.version for one in stored.versions)] = stored.sha256
        if self._draw.random() < 0.4:
            gone = self._draw.choice(sorted(self.told))
            self.deleted.add(gone)
            client.delete_dataset(f"sha256:{gone}")
            self.told.discard(gone)


def test_nothing_told_is_lost_and_nothing_half_done_is_seen(
    server: ServerProcess, tmp_path: Path
) -> None:
    draw = random.Random(17)
    told, deleted, names = set[str](), set[str](), dict[int, str]()
    for _ in range(KILLS):
        owner = Owner(server.facts["listen"], tmp_path, draw)
        owner.start()
        time.sleep(0.7 + draw.uniform(0, LONGEST_SECONDS))
        server.stop(signal.SIGKILL)
        owner.join()
        told = (told | owner.told) - owner.deleted
        deleted |= owner.deleted
        names |= owner.names
        # Whatever is in the store is on the disk, whole.
        assert check(server.data_dir) == []
        server.start()
        folder = server.data_dir / "datasets"
        with Client(server.facts["listen"]) as client:
            kept = {dataset.sha256: dataset for dataset in client.datasets()}
        assert told <= kept.keys()
        assert {path.stem for path in folder.glob("*.h5")} == kept.keys()
        assert not list(folder.glob("*.gone"))
        versions = {
            one.version: sha256 for sha256, dataset in kept.items() for one in dataset.versions
        }
        assert all(names.get(version, sha256) == sha256 for version, sha256 in versions.items())
    assert told
