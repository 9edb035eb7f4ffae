"""What the server does with files of jobs where nodes find them in an object store."""

from pathlib import Path
from typing import Any

from dlae_server.executors.cluster.paths import paths_below
from dlae_server.executors.cluster.store import Store
from dlae_server.jobs.checkpoints import job_folder


class Depot:
    """Brings what a worker needs to the store, and fetches what it has left there."""

    def __init__(self, address: str, data_dir: Path) -> None:
        """Connects to the store.

        Raises:
            ImportError: What that takes is not installed.
            ValueError: The address is none.
        """
        self._address = address
        self._data_dir = data_dir
        self._store = Store(address)

    def send(self, job_id: str, task: dict[str, Any]) -> dict[str, str]:
        """Brings the workspace of a job and the files that it reads; returns where they are.

        Raises:
            OSError: The store does not answer.
        """
        name, workspace = f"jobs/{job_id}", Path(task["workspace"])
        # What a worker left there whose server was killed is newer.
        self._store.fetch(name, workspace)
        self._store.bring(workspace, name, {})
        self._store.keep(self._data_dir, paths_below(self._data_dir, task["config"]))
        return {"address": self._address, "data_dir": str(self._data_dir), "job": name}

    def collect(self, job_id: str) -> None:
        """Fetches the workspace of a job whose worker has ended.

        Raises:
            OSError: The store does not answer.
        """
        name = f"jobs/{job_id}"
        self._store.fetch(name, job_folder(self._data_dir, job_id) / "work")
        self._store.remove(name)
