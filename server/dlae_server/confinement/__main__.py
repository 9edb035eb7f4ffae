"""`python -m dlae_server.confinement WORKER ...`: gives up rights, then is a worker.

Rights are given up before libraries begin threads, which would keep them.
"""

import importlib
import sys

from dlae_server.confinement.rights import confine

# What workers may write, of the data folder, and whether they read the files of configurations.
WORKERS = {
    "jobs.worker": ("jobs", True),
    "models.import_worker": ("models", False),
    "serving.worker": ("", False),
    "datasets.arrival_worker": ("", False),
}


def main() -> None:
    """Becomes the worker that the first argument names."""
    name = sys.argv.pop(1)
    confine(*WORKERS[name])
    importlib.import_module(f"dlae_server.{name}").main()


if __name__ == "__main__":
    main()
