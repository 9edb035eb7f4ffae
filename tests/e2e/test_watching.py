"""The command line watches a job although its server is killed meanwhile."""

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dlae_server.processes import ServerProcess, eventually

pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_bar_goes_on_after_a_restart_and_tells_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLAE_FAKE_LISTEN", f"127.0.0.1:{_free_port()}")
    monkeypatch.delenv("NO_COLOR", raising=False)
    server = ServerProcess(tmp_path)
    server.behave("wait")
    job = server.train()
    server.waits(job.id)
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "dlae_client.cli.main", "--server", server.facts["listen"]]
    with subprocess.Popen([*command, "watch", job.id], stderr=side, stdout=subprocess.PIPE) as cli:
        os.close(side)
        shown = _read_until(terminal, "epoch 1/2  loss")
        server.stop(signal.SIGKILL)
        shown += _read_until(terminal, "connection lost; trying again")
        server.start()
        shown += _read_until(terminal, "running")
        server.behave("succeed")
        shown += _read_until(terminal, "succeeded")
        assert cli.stdout
        assert cli.stdout.read() == b"m@1\n"
        assert cli.wait(20) == 0
    eventually(lambda: server.job(job.id).attempt == 2)
    server.stop()
    lines = [line.rpartition("\x1b[K")[2] for line in shown.replace("\r\n", "\n").splitlines()]
    epochs = [line for line in lines if line.startswith("epoch")]
    assert [line[:9] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    assert [line for line in lines if line.startswith("queued: ")] != []
    # The bar of the second attempt says what is left.
    assert "step " in shown.partition("trying again")[2]


def _read_until(terminal: int, text: str) -> str:
    """Reads from a terminal until a text has come."""
    shown = ""
    while text not in shown:
        shown += os.read(terminal, 4096).decode()
    return shown
