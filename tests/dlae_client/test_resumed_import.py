"""An import that breaks off goes on where it ended, and makes one model at most."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlae.v1 import models_pb2 as pb
from dlae_client import importing
from dlae_client.errors import ClientError, FailedPrecondition, ServerUnreachable

CONTENT = bytes(range(250)) * 4


class Server:
    """A connection and a stub: a server that has what came before it went away.

    Args:
        breaks: After how many bytes of a call it goes away, for each call; then it stays.
        forgets: Whether it has nothing any more after that, as where it had begun to store it.
        old: Whether it knows nothing of imports that are gone on with.
    """

    def __init__(self, *breaks: int, forgets: bool = False, old: bool = False) -> None:
        self._breaks = list(breaks)
        self._forgets, self._old = forgets, old
        self.there = b""
        self.offsets: list[int] = []
        self.ImportModel, self.StartImport = self._import, self._start

    def call(self, method: Any, request: Any, seconds: float = 0) -> Any:
        """Calls a method."""
        return method(request)

    def _start(self, request: pb.StartImportRequest) -> pb.StartImportResponse:
        if self._old:
            raise ClientError("unknown method", "UNIMPLEMENTED")
        return pb.StartImportResponse(offset=len(self.there))

    def _import(self, requests: Iterator[pb.ImportModelRequest]) -> pb.ImportModelResponse:
        header = next(requests).header
        self.offsets.append(header.offset)
        came = self.there[: header.offset]
        for request in requests:
            came += request.data
        if self._breaks:
            self.there = b"" if self._forgets else came[: header.offset + self._breaks.pop(0)]
            raise ServerUnreachable("nobody is there")
        assert came == CONTENT
        return pb.ImportModelResponse(report="all of it")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is sent in ten pieces."""
    monkeypatch.setattr(importing, "CHUNK_BYTES", 100)
    path = tmp_path / "a.keras"
    path.write_bytes(CONTENT)
    return path


def send(server: Server, file: Path, seconds: float = 5.0) -> pb.ImportModelResponse:
    connection: Any = server
    return importing.send(
        connection, server, file, importing.import_header(file, {"config_file": {}}), seconds
    )


def test_what_has_come_is_not_sent_again(file: Path) -> None:
    server = Server(300, 150)
    assert send(server, file).report == "all of it"
    assert server.offsets == [0, 300, 450]


def test_a_server_that_may_have_stored_the_model_is_not_sent_it_again(file: Path) -> None:
    server = Server(1000, forgets=True)
    with pytest.raises(ServerUnreachable, match="whether it has stored the model"):
        send(server, file)
    assert server.offsets == [0]


def test_without_patience_a_break_is_an_error(file: Path) -> None:
    with pytest.raises(ServerUnreachable, match="nobody is there"):
        send(Server(300), file, seconds=0.0)


def test_older_servers_get_all_at_once(file: Path) -> None:
    server = Server(old=True)
    assert send(server, file).report == "all of it"
    assert server.offsets == [0]


def test_what_the_server_refuses_is_not_sent_again(file: Path) -> None:
    server = Server()

    def refuse(requests: Iterator[pb.ImportModelRequest]) -> pb.ImportModelResponse:
        server.offsets.append(next(requests).header.offset)
        raise FailedPrecondition("another network", "INCOMPATIBLE_ARTIFACT")

    server.ImportModel = refuse
    with pytest.raises(FailedPrecondition):
        send(server, file)
    assert server.offsets == [0]
