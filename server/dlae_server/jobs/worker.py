"""The worker: runs one task of the engine in a process of its own, then ends.

`python -m dlae_server.confinement jobs.worker` loads the engine and reads one line of JSON from
standard input,

    {"task": "train", "config": text, "workspace": folder}
    {"task": "infer", "config": text, "workspace": folder}
    {"task": "validate", "config": text}

each with the `log` to write to and the `devices` to use, where they are not the process's own, and
with the `machines` that train together, as in `TF_CONFIG`, where there are several,
and writes lines of JSON to standard output: any number of `{"event": ...}`, then one of
`{"result": ...}`, `{"failure": {"reason", "message"}}` and `{"cancelled": true}`. A later input
line `cancel` asks it to stop; the end of input means that the server is gone, and ends it at once.
"""

import importlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.json_format import MessageToDict

from dlae_core.config import load_config, read_config, resolve_config
from dlae_core.config.references import INFERENCE
from dlae_core.errors import DlaeError, TrainingCancelled
from dlae_core.events import Event
from dlae_server.confinement.rights import confine_to
from dlae_server.jobs.pace import Pace
from dlae_server.jobs.transcription import message_from_event
from dlae_server.jobs.verdict import OUT_OF_MEMORY


class Channel:
    """The private line to the server: libraries that print cannot disturb it."""

    def __init__(self) -> None:
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.cancelled = threading.Event()
        self._pace = Pace()

    def send(self, message: dict[str, Any]) -> None:
        """Sends one message."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def emit(self, event: Event) -> None:
        """Sends an event; of the progress only a few a second and the last of an epoch."""
        if self._pace.allows(event):
            self.send({"event": MessageToDict(message_from_event(event))})

    def listen(self) -> None:
        """Waits for requests to stop, and for the server's end."""
        for line in sys.stdin:
            if line.strip() == "cancel":
                self.cancelled.set()
        os._exit(1)


def settle_in(task: dict[str, Any]) -> None:
    """Turns to the log of the task, keeps to its folder, and to the cores and GPUs that it may use.

    TensorFlow looks at both when it does its first operation, which is still to come.
    """
    if task.get("log"):
        log = os.open(task["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
    confine_to(*(Path(task[key]).parent for key in ("workspace", "bundle") if key in task))
    if "machines" in task:
        os.environ["TF_CONFIG"] = json.dumps(task["machines"])
    devices = task.get("devices") or {}
    if devices.get("gpus") is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(devices["gpus"]) or "-1"
    if devices.get("cores") and hasattr(os, "sched_setaffinity"):
        # Libraries have begun threads, each of which has its own.
        for thread in os.listdir("/proc/self/task"):
            with suppress(OSError):
                os.sched_setaffinity(int(thread), devices["cores"])


def prepare() -> None:
    """Loads the engine, which takes seconds that a worker in reserve has already spent."""
    importlib.import_module("dlae_core.training")


def train(task: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Trains; returns where the bundle is."""
    from dlae_core.training import train as train_config  # noqa: PLC0415 - TensorFlow only here

    config = resolve_config(read_config(task["config"]).config)
    workspace = Path(task["workspace"])
    bundle = train_config(config, workspace, channel.emit, channel.cancelled.is_set)
    return {"bundle": str(bundle)}


def infer(task: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Predicts; returns where the file is."""
    from dlae_core.inference import infer as infer_config  # noqa: PLC0415 - as above

    config = resolve_config(read_config(task["config"]).config)
    workspace = Path(task["workspace"])
    return {"file": str(infer_config(config, workspace, channel.emit, channel.cancelled.is_set))}


def validate(task: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Checks graph and data, or model and images; returns the report."""
    from dlae_core.inference import check_session  # noqa: PLC0415 - as above
    from dlae_core.validation import validate as validate_config  # noqa: PLC0415 - as above

    config = load_config(task["config"]).config
    is_inference = config.config_file.type_signal == INFERENCE
    return asdict(check_session(config) if is_inference else validate_config(config))


TASKS: dict[str, Callable[[dict[str, Any], Channel], dict[str, Any]]] = {
    "train": train,
    "infer": infer,
    "validate": validate,
}


def main() -> int:
    """Runs the task of the first input line; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    channel = Channel()
    try:
        prepare()
        task = _task()
        settle_in(task)
        threading.Thread(target=channel.listen, daemon=True).start()
        channel.send({"result": TASKS[task["task"]](task, channel)})
    except TrainingCancelled:
        channel.send({"cancelled": True})
    except DlaeError as error:
        channel.send({"failure": {"reason": error.reason, "message": str(error)}})
    except MemoryError:
        message = "the server's memory is full; lower training_configurations.batch_size"
        channel.send({"failure": {"reason": OUT_OF_MEMORY, "message": message}})
    except Exception:  # the outermost place: whatever it is, the job must end with a reason
        logging.exception("task failed")
        message = "internal error; the server's log names it"
        channel.send({"failure": {"reason": "INTERNAL", "message": message}})
    # Threads of libraries must not keep a finished worker alive.
    logging.shutdown()
    os._exit(0)


def _task() -> dict[str, Any]:
    """Waits for the task; ends the process where none will come."""
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    task: dict[str, Any] = json.loads(line)
    return task


if __name__ == "__main__":
    main()
