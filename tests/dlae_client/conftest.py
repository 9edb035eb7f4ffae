"""A fake server, a client of it, and its command line."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlae_client import Client
from dlae_client.cli.main import main
from tests.dlae_client.fakes import FakeServer, config_text


@dataclass
class Outcome:
    """How a command ended.

    Attributes:
        code: Exit code.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A running fake."""
    running = FakeServer()
    yield running
    running.stop()


@pytest.fixture
def client(server: FakeServer) -> Iterator[Client]:
    """A client of the fake."""
    with Client(server.address, reconnect_seconds=10) as connected:
        yield connected


@pytest.fixture
def run(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `dlae-client` in this process against the fake."""
    monkeypatch.setenv("DLAE_SERVER", server.address)

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["dlae-client", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Outcome(code, told.out, told.err)

    return command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file."""
    path = tmp_path / "Tissue Study.json"
    path.write_text(config_text())
    return path
