"""What a file is, asked of a process that looks into it."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from dlae.v1.datasets_pb2 import Dataset, SampleForm
from dlae_core.errors import UnusableDataset
from dlae_server.jobs.process import TaskProcess

WORKER = (sys.executable, "-m", "dlae_server.confinement", "datasets.arrival_worker")
# Of one file; and how long the process waits for the next.
SECONDS, IDLE_SECONDS = 900.0, 300.0


class Arrival:
    """A process that looks into files, one at a time; it is there while files come.

    Args:
        log: For what libraries print.
        command: The program; tests put another here.
    """

    def __init__(self, log: Path, command: tuple[str, ...] = WORKER) -> None:
        self._log = log
        self._command = command
        self._lock = asyncio.Lock()
        self._starting: asyncio.Task[TaskProcess] | None = None
        self._ending: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Has the process be there soon, while a file is still coming."""
        if self._ending:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire)
        if self._starting is None:
            self._starting = asyncio.create_task(TaskProcess.waiting(self._log, self._command))

    async def look(self, path: Path) -> Dataset:
        """Returns what a file is: kind, samples and forms.

        Raises:
            UnusableDataset: It cannot be used; every problem is told.
        """
        async with self._lock:
            self.start()
            assert self._starting is not None
            try:
                process = await self._starting
            except OSError:
                self._starting = None
                raise
            answer = await self._answer(process, path)
            if answer is None:
                cause = await process.end()
                self._forgotten()
                raise UnusableDataset([f"the file cannot be looked into: {cause}"])
        if "failure" in answer:
            raise UnusableDataset(answer["failure"]["problems"])
        if "result" not in answer:
            raise UnusableDataset(["the file cannot be looked into: it ends whoever reads it"])
        return _described(answer["result"])

    async def _answer(self, process: TaskProcess, path: Path) -> dict[str, Any] | None:
        """Returns what the process says of a file; None where it says nothing more."""
        process.give({"file": str(path)})
        try:
            async with asyncio.timeout(SECONDS):
                return await anext(process.messages(), None)
        except TimeoutError:
            process.kill()
            return None

    async def close(self) -> None:
        """Ends the process."""
        if self._ending:
            self._ending.cancel()
        if process := self._forgotten():
            await process.end()

    def _expire(self) -> None:
        """Ends a process that has waited long enough."""
        if self._lock.locked():
            self.start()
        else:
            self._forgotten()

    def _forgotten(self) -> TaskProcess | None:
        """Kills the process, if there is one; the next file gets another."""
        starting, self._starting = self._starting, None
        if starting is None or not starting.done() or starting.exception():
            return None
        process = starting.result()
        process.kill()
        return process


def _described(result: dict[str, Any]) -> Dataset:
    return Dataset(
        kind=str(result["kind"]),
        samples=int(result["samples"]),
        forms=[SampleForm(**form) for form in result["forms"]],
    )
