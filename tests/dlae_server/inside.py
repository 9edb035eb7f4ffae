"""Servers inside the test's process: quick to start."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlae_server.app import Commands, serve
from dlae_server.settings import Settings
from tests.dlae_server.processes import FAKES


@contextmanager
def serving(folder: Path, **changes: Any) -> Iterator[dict[str, Any]]:
    """Runs a server in a thread; yields what its card tells. Its workers are fakes.

    Args:
        folder: Data folder, and the only data root.
        changes: Of the settings.
    """
    settings = replace(Settings("127.0.0.1:0", folder, (folder,), None), **changes)
    program = (sys.executable, str(FAKES))
    commands = Commands(task=(*program, "task"), model=(*program, "model"))
    runner, stop = asyncio.Runner(), asyncio.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with runner:
                runner.run(serve(settings, stop, commands))
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    card = folder / "server.json"
    while not card.exists() and thread.is_alive():
        time.sleep(0.01)
    try:
        if not failed:
            yield json.loads(card.read_text())
    finally:
        if thread.is_alive():
            runner.get_loop().call_soon_threadsafe(stop.set)
        thread.join()
        if failed:
            raise failed[0]
