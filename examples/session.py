"""A server for an example, and the commands that it runs against it."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 30.0


def folder_argument(description: str | None, default: str) -> Path:
    """Returns the absolute folder that the command line of an example names with --folder."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(default), help="(default: %(default)s)")
    folder: Path = parser.parse_args().folder
    return folder.absolute()


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Starts a server with its embedded defaults on a free loopback port; stops it in the end.

    Args:
        folder: For the server's data and log; the server reads data files below it.

    Yields:
        The server's address.

    Raises:
        SystemExit: The server did not start, or did not end in an orderly way.
    """
    data, log = folder / "server", folder / "server.log"
    command = ["dlae_server.main", "--listen", "127.0.0.1:0", "--metrics-port", "0"]
    command += ["--data-dir", str(data), "--data-root", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        server = subprocess.Popen([sys.executable, "-m", *command], stdout=output, stderr=output)
    try:
        address = _address(server, data / "server.json", log)
        print(f"server   {address} (log: {log})")
        yield address
    finally:
        code = _stopped(server)
    if code != 0:
        raise SystemExit(f"the server ended with code {code}; see {log}")
    print("server   stopped")


def run_client(address: str, *arguments: str) -> None:
    """Runs a command of `dlae-client` as a person would, output on the screen.

    Raises:
        SystemExit: The command failed; it has said why.
    """
    print(f"\n$ dlae-client {' '.join(arguments)}", flush=True)
    code = subprocess.run(_client(address, *arguments), check=False).returncode
    if code != 0:
        raise SystemExit(code)


def ask_client(address: str, *arguments: str) -> Any:
    """Runs a command of `dlae-client` with --json; returns its document.

    Raises:
        SystemExit: The command failed.
    """
    command = _client(address, "--json", *arguments)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def has_model(address: str, name: str) -> bool:
    """Returns whether the server has a model of this name."""
    return any(model["name"] == name for model in ask_client(address, "models")["models"])


def train_once(address: str, config: Path, name: str) -> None:
    """Trains a model, unless the server has one of this name."""
    if has_model(address, name):
        print(f"model    {name} reused; remove {config.parent} to train again")
    else:
        run_client(address, "train", str(config), "--name", name)


def _client(address: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "dlae_client.cli.main", "--server", address, *arguments]


def _address(server: "subprocess.Popen[bytes]", card: Path, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        facts = json.loads(card.read_text()) if card.exists() else {}
        if facts.get("pid") == server.pid:
            return str(facts["listen"])
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text()[-500:]}")


def _stopped(server: "subprocess.Popen[bytes]") -> int:
    """Asks the server to end, and makes it end where it does not; returns its exit code."""
    server.terminate()
    try:
        return server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()
