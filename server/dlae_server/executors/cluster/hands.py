"""What runs on a node, as an actor of Ray: it starts a worker's process and stands in for it."""

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae_server.confinement.environment import worker_environment
from dlae_server.jobs.memory import kernel_kills
from dlae_server.jobs.process import ENVIRONMENT, why_ended
from dlae_server.jobs.usage import usage_of

if TYPE_CHECKING:
    from dlae_server.executors.cluster.away import Away

# Files of other machines appear a little late in a shared folder.
FOLDER_SECONDS = 20.0
# Less than another worker waits for the workspace (`dlae_core.training.workspace`): who has been
# given up does not write when another goes on.
SILENT_SECONDS = 15.0
LOOK_SECONDS = 1.0

Line = dict[str, Any]


class Hands:
    """One worker on this node. Methods are called from several threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._killed = False
        self._lock = threading.Lock()
        self.heartbeat()

    def heartbeat(self) -> None:
        """Hears that the driver is still there."""
        self._heard = time.monotonic()

    def address(self) -> str:
        """Returns where other machines of a training find this one."""
        import ray  # noqa: PLC0415 - which has started this actor

        with socket.socket() as one:
            one.bind(("", 0))
            port = one.getsockname()[1]
        return f"{ray.util.get_node_ip_address()}:{port}"

    def run(self, order: Line) -> Iterator[Line]:
        """Runs a worker to its end; yields what it tells, what it uses, and how it ended.

        Args:
            order: The `command` of the worker, in which an empty word stands for Python, its
                `task`, further variables of its `environment`, and its place in the `store`, if
                there is one.
        """
        yield {"began": os.uname().nodename}
        if "store" not in order:
            yield from self._run(order, None)
            return
        from dlae_server.executors.cluster.away import Away  # noqa: PLC0415 - needs fsspec

        away = Away(order)
        try:
            there = {**order, "task": away.task, "environment": away.environment}
            yield from self._run(there, away)
        finally:
            away.close()

    def _run(self, order: Line, away: "Away | None") -> Iterator[Line]:
        missing = _missing(order["task"])
        if missing:
            yield {"message": {"failure": {"reason": "FOLDER_NOT_SHARED", "message": missing}}}
            yield {"end": "its folder is missing"}
            return
        kills = kernel_kills()
        process = self._started(order)
        for line in self._told(process):
            yield from _homeward(line, away)
        if away:
            # It may have gone without a last message.
            yield {"log": away.log()}
            away.bring()
        cause, verdict = why_ended(self._ended(process), kills)
        yield {"end": cause, "verdict": verdict and [verdict.reason, verdict.cause]}

    def cancel(self) -> None:
        """Asks the worker to stop its task."""
        with self._lock:
            self._cancelled = True
            if self._process:
                _write(self._process, "cancel")

    def kill(self) -> None:
        """Ends the worker at once."""
        with self._lock:
            self._killed = True
            if self._process:
                self._process.kill()

    def _started(self, order: Line) -> "subprocess.Popen[bytes]":
        task = order["task"]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        # Ray does not hide GPUs from those who have asked for none.
        gpus = [name for name in visible if name] if order["share"]["needs"]["gpus"] else []
        devices = {"cores": [], "gpus": gpus}
        with self._lock, Path(task["log"]).open("ab") as log:
            process = self._process = subprocess.Popen(
                [part or sys.executable for part in order["command"]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=worker_environment(ENVIRONMENT, order["environment"]),
                start_new_session=True,
            )
            _write(process, json.dumps({**task, "devices": devices}))
            if self._cancelled:
                _write(process, "cancel")
            if self._killed:
                process.kill()
        return process

    def _told(self, process: "subprocess.Popen[bytes]") -> Iterator[Line]:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()
        told = 0.0
        while True:
            try:
                line = lines.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                line = b"\n"
            if not line:
                return
            if line.strip():
                yield {"message": json.loads(line)}
            if time.monotonic() > told + LOOK_SECONDS:
                told = time.monotonic()
                usage = usage_of(process.pid)
                yield {"usage": [usage.resident_bytes, usage.cpu_seconds]}

    def _ended(self, process: "subprocess.Popen[bytes]") -> int:
        """Waits for the end of a worker; returns its exit code."""
        code = process.wait()
        with self._lock:
            self._process = None
            for pipe in (process.stdin, process.stdout):
                assert pipe
                with suppress(BrokenPipeError):
                    pipe.close()
        return code

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """Ends a worker that nobody has asked about for a while: the server has given it up."""
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - self._heard > SILENT_SECONDS:
                process.kill()


def _homeward(line: Line, away: "Away | None") -> Iterator[Line]:
    """Yields a line as the server understands it, when what it speaks of is in the store."""
    if away is None:
        yield line
        return
    if log := away.log():
        yield {"log": log}
    if "message" in line and "event" not in line["message"]:
        away.bring()
        line = {"message": away.home(line["message"])}
    yield line


def _read(process: "subprocess.Popen[bytes]", lines: "queue.SimpleQueue[bytes]") -> None:
    assert process.stdout
    for line in process.stdout:
        # One that dies in mid-sentence has not said it.
        if line.endswith(b"\n"):
            lines.put(line)
    lines.put(b"")


def _write(process: "subprocess.Popen[bytes]", line: str) -> None:
    assert process.stdin
    # Where it has ended, those who wait for that tell how.
    with suppress(BrokenPipeError):
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()


def _missing(task: Line) -> str:
    """Returns what is wrong where the folder of the job is not on this node."""
    folder = Path(task["log"]).parent
    end = time.monotonic() + FOLDER_SECONDS
    while not folder.is_dir():
        if time.monotonic() > end:
            return (
                f"expected the server's folder {folder} on the node {os.uname().nodename} of the "
                "cluster, found none; put the server's data folder where all nodes have it at the "
                "same path"
            )
        time.sleep(LOOK_SECONDS)
    return ""
