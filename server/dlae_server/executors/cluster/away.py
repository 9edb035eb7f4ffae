"""A job on a node that shares no folder with the server: in one of its own, kept in a store."""

import json
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlae_server.confinement.environment import DATA_DIR
from dlae_server.executors.cluster.paths import moved, paths_below
from dlae_server.executors.cluster.store import Store

# Between two looks at what the worker has written.
BRING_SECONDS = 3.0
_ALONE = {"task": {"index": 0}}


class Away:
    """The folder of a job on a node.

    Attributes:
        task: What the worker is to do, with paths of this node.
        environment: Its variables, likewise.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        """Fetches what the job needs.

        Raises:
            OSError: The store does not answer.
        """
        place = order["store"]
        self._store, self._name = Store(place["address"]), place["job"]
        self._data_dir, self._here = Path(place["data_dir"]), Path(tempfile.mkdtemp(prefix="dlae-"))
        task = order["task"]
        # Of several machines one writes.
        self._is_first = task.get("machines", _ALONE)["task"]["index"] == 0
        self._workspace = Path(moved(task["workspace"], self._data_dir, self._here))
        self._store.fetch(self._name, self._workspace)
        for path in paths_below(self._data_dir, task["config"]):
            inner = path.relative_to(self._data_dir)
            self._store.fetch(f"files/{inner}", self._here / inner)
        config = moved(json.loads(task["config"]), self._data_dir, self._here)
        self.task = moved(task, self._data_dir, self._here) | {"config": json.dumps(config)}
        self.environment = {**order["environment"], DATA_DIR: str(self._here)}
        self._log = Path(self.task["log"])
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._read = 0
        self._known: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._keep_bringing, daemon=True).start()

    def bring(self) -> None:
        """Brings what the worker has written to the store.

        Raises:
            OSError: The store does not answer.
        """
        if self._is_first:
            with self._lock:
                self._store.bring(self._workspace, self._name, self._known)

    def log(self) -> str:
        """Returns what has come to the log since it was last asked for."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        return data.decode(errors="replace")

    def home(self, message: dict[str, Any]) -> dict[str, Any]:
        """Returns a message with paths of the server."""
        found: dict[str, Any] = moved(message, self._here, self._data_dir)
        return found

    def close(self) -> None:
        """Removes the folder."""
        self._closed.set()
        with self._lock:
            shutil.rmtree(self._here, ignore_errors=True)

    def _keep_bringing(self) -> None:
        while not self._closed.wait(BRING_SECONDS):
            # The store may answer again next time; at the end it has to.
            with suppress(OSError):
                self.bring()
