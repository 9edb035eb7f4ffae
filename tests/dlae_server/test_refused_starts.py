"""Starts that are refused before anything is touched."""

import asyncio
import json
from pathlib import Path

import pytest

from dlae_core.errors import StorageFailed
from dlae_server.app import serve
from dlae_server.errors import CannotStart
from dlae_server.settings import Settings
from tests.dlae_server.processes import ServerProcess


def start(folder: Path, listen: str = "127.0.0.1:0") -> None:
    settings = Settings(listen, folder, (folder,), None)
    asyncio.run(asyncio.wait_for(serve(settings, asyncio.Event()), 10))


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.168.0.1:0", "[::]:0", "8.8.8.8:50051"])
def test_an_address_of_others_is_refused(tmp_path: Path, listen: str) -> None:
    with pytest.raises(CannotStart, match="--tls-certificate and --tls-key"):
        start(tmp_path / "data", listen)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "listen", ["", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536", "a.example:1"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, listen: str) -> None:
    with pytest.raises(CannotStart, match="expected"):
        start(tmp_path / "data", listen)


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="data folder"):
        start(tmp_path / "file" / "data")


def test_a_second_server_on_a_data_folder_is_refused_and_disturbs_nothing(
    own_server: ServerProcess,
) -> None:
    with pytest.raises(CannotStart, match="another dlae-server"):
        start(own_server.data_dir)
    assert json.loads((own_server.data_dir / "server.json").read_text()) == own_server.facts
    assert own_server.trained("m").model == "m@1"
