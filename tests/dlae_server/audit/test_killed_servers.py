"""Servers that are killed while they change things: nothing they answered is without a record."""

import os
import signal
import threading
import time
from pathlib import Path

import grpc
import pytest

from dlae.v1 import models_pb2 as pb
from dlae_server.audit.reading import records
from dlae_server.audit.verifying import verify
from tests.dlae_server.folders import server_folder
from tests.dlae_server.processes import ServerProcess

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("DLAE_AUDIT_KILLS", "2"))
CLIENTS = 3


def change_until_it_ends(server: ServerProcess, client: int, done: list[str]) -> None:
    """Sets aliases one after the other and writes down those that were answered."""
    while True:
        alias = f"c{client}-{len(done)}"
        try:
            server.models.SetAlias(pb.SetAliasRequest(model="m@1", alias=alias))
        except grpc.RpcError:
            return
        done.append(alias)


def test_no_answered_change_is_without_its_record(tmp_path: Path) -> None:
    server_folder(tmp_path / "server")
    server = ServerProcess(tmp_path)
    done: list[list[str]] = [[] for _ in range(CLIENTS)]
    for kill in range(KILLS):
        clients = [
            threading.Thread(target=change_until_it_ends, args=(server, number, answered))
            for number, answered in enumerate(done)
        ]
        for client in clients:
            client.start()
        time.sleep(0.3 + 0.17 * kill)
        server.stop(signal.SIGKILL)
        for client in clients:
            client.join()
        server.start()
    server.stop()
    assert verify(server.data_dir).findings == []
    told = [one.facts for one in records(server.data_dir)]
    assert {alias for answered in done for alias in answered} <= {one.get("alias") for one in told}
    assert min(map(len, done)) > KILLS
    assert [one["what"] for one in told].count("start") == KILLS + 1
    assert told[-1]["what"] == "stop"
