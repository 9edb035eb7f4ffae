"""A worker process as the server sees it."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from dlae_server.confinement.environment import worker_environment
from dlae_server.jobs.memory import kernel_kills
from dlae_server.jobs.usage import Usage, usage_of
from dlae_server.jobs.verdict import OUT_OF_MEMORY, Verdict

WORKER = (sys.executable, "-m", "dlae_server.confinement", "jobs.worker")
LINE_BYTES = 64 << 20
END_SECONDS = 5.0
# Quiet enough for a log that people read. A server trains on its own machine: others have none of
# its jobs.
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow", "TF_CONFIG": ""}


class TaskProcess:
    """One task in one process.

    Attributes:
        verdict: What the process died of, where that is known once it has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._kills = kernel_kills()
        self.verdict: Verdict | None = None

    @classmethod
    async def start(
        cls, task: dict[str, Any], log: Path, command: tuple[str, ...] = WORKER
    ) -> "TaskProcess":
        """Starts a process with a task; what libraries print goes to the log."""
        started = await cls.waiting(log, command)
        started.give(task)
        return started

    @classmethod
    async def waiting(cls, log: Path, command: tuple[str, ...] = WORKER) -> "TaskProcess":
        """Starts a process that loads the engine and waits for its task."""
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=LINE_BYTES,
                env=worker_environment(ENVIRONMENT),
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    def usage(self) -> Usage:
        """Returns what the process uses."""
        return usage_of(self.pid)

    def give(self, task: dict[str, Any]) -> None:
        """Gives a waiting process its task."""
        self._kills = kernel_kills()
        self._tell(json.dumps(task))

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yields what the process sends until it closes its output, or dies in mid-sentence."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.endswith(b"\n"):
                yield json.loads(line)

    def cancel(self) -> None:
        """Asks the process to stop its task."""
        self._tell("cancel")

    async def end(self) -> str:
        """Makes sure that the process is gone; returns why, where it told no end."""
        if self.is_alive:
            try:
                await asyncio.wait_for(self._process.wait(), timeout=END_SECONDS)
            except TimeoutError:
                self.kill()
                await self._process.wait()
                return "its process fell silent and was ended"
        cause, self.verdict = why_ended(self._process.returncode or 0, self._kills)
        return cause

    def kill(self) -> None:
        """Ends the process at once."""
        if self.is_alive:
            self._process.kill()

    def _tell(self, line: str) -> None:
        if self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(line.encode() + b"\n")


def why_ended(code: int, kills_before: int | None) -> tuple[str, Verdict | None]:
    """Returns what a process died of, where it told no end.

    Args:
        code: Its exit code; negative: the signal that ended it.
        kills_before: What `kernel_kills` returned before it began.

    Returns:
        The cause for people, and the verdict where memory ran out.
    """
    if code != -signal.SIGKILL:
        return f"its process ended with {_cause(code)}" if code else "its process ended early", None
    kills = kernel_kills()
    if kills != kills_before:
        cause = (
            "the system's memory ran out and its process was ended; lower "
            "training_configurations.batch_size or data_memory"
        )
        return cause, Verdict(OUT_OF_MEMORY, cause)
    if kills is not None:
        return "its process was killed, but not for want of memory", None
    return "its process was killed, perhaps for want of memory; lower the batch size", None


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
