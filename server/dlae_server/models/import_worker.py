"""The worker of imports: the worker of jobs with a task of its own.

`python -m dlae_server.confinement models.import_worker` takes
`{"task": "adopt", "config": text, "file": path, "bundle": folder}`; a file of anybody is opened
in this process alone.
"""

from pathlib import Path
from typing import Any

from dlae_server.jobs import worker


def adopt(task: dict[str, Any], channel: worker.Channel) -> dict[str, Any]:
    """Makes a bundle of a file of Keras; returns what was taken of it."""
    from dlae_core.adoption import adopt as made  # noqa: PLC0415 - TensorFlow only here

    return {"report": made(task["config"], Path(task["file"]), Path(task["bundle"]))}


def main() -> None:
    """Runs the task of the first input line."""
    worker.TASKS["adopt"] = adopt
    worker.main()


if __name__ == "__main__":
    main()
