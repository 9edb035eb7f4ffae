"""What a file is, asked of a process that looks into it."""

import asyncio
import sys
from pathlib import Path

from dlae.v1.datasets_pb2 import Dataset, SampleForm
from dlae_core.errors import UnusableDataset
from dlae_server.jobs.process import TaskProcess

WORKER = (sys.executable, "-m", "dlae_server.datasets.arrival_worker")
SECONDS = 900.0


class Arrival:
    """A process that waits for a file to look into; it starts while the file comes.

    Args:
        log: For what libraries print.
        command: The program; tests put another here.
    """

    def __init__(self, log: Path, command: tuple[str, ...] = WORKER) -> None:
        self._starting = asyncio.create_task(TaskProcess.waiting(log, command))

    async def look(self, path: Path) -> Dataset:
        """Returns what a file is: kind, samples and forms.

        Raises:
            UnusableDataset: It cannot be used; every problem is told.
        """
        process = await self._starting
        process.give({"file": str(path)})
        answer: dict[str, dict[str, object]] = {}
        try:
            async with asyncio.timeout(SECONDS):
                async for message in process.messages():
                    answer = message
        except TimeoutError:
            raise UnusableDataset(["the file took too long to look into"]) from None
        if "failure" in answer:
            problems = answer["failure"]["problems"]
            raise UnusableDataset(list(map(str, problems if isinstance(problems, list) else ())))
        if "result" not in answer:
            cause = await process.end()
            raise UnusableDataset([f"the file cannot be looked into: {cause}"])
        return _described(answer["result"])

    async def close(self) -> None:
        """Ends the process."""
        try:
            process = await self._starting
        except OSError:
            return
        process.kill()
        await process.end()


def _described(result: dict[str, object]) -> Dataset:
    forms = result["forms"] if isinstance(result["forms"], list) else ()
    return Dataset(
        kind=str(result["kind"]),
        samples=int(str(result["samples"])),
        forms=[SampleForm(**form) for form in forms],
    )
