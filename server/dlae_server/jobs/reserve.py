"""A worker in reserve: it has loaded the engine, which takes seconds, and waits for a task."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from dlae_server.jobs.process import WORKER, TaskProcess
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)


class Reserve:
    """At most one waiting process. It serves one task, as every worker does.

    Who asks for one process will soon ask for another: the reserve is filled after a task, and let
    go when none has come for a while, as the engine takes memory.

    Attributes:
        command: Program of the processes.
    """

    def __init__(self, settings: Settings, command: tuple[str, ...] = WORKER) -> None:
        """Prepares an empty reserve.

        Args:
            settings: Where its processes write what libraries print, and how long they wait.
            command: Program of the processes.
        """
        self._log = settings.data_dir / "validation.log"
        self._seconds = settings.reserve_seconds
        self.command = command
        self._waiting: TaskProcess | None = None
        self._end: asyncio.TimerHandle | None = None
        self._filling = False
        self._filler: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self, task: dict[str, Any], log: Path | None = None) -> TaskProcess:
        """Returns a process that has been given a task: the waiting one, or a new one.

        Args:
            task: The task.
            log: Where a new process writes what libraries print; None: to the reserve's own log.
        """
        process = self._taken()
        if process is None or not process.is_alive:
            return await TaskProcess.start(task, log or self._log, self.command)
        process.give(task)
        return process

    async def fill(self) -> None:
        """Makes sure that a process waits."""
        if not self._wants_one():
            return
        self._filling = True
        try:
            process = await TaskProcess.waiting(self._log, self.command)
        finally:
            self._filling = False
        self._waiting = process
        if self._closed:
            await self.close()
        else:
            loop = asyncio.get_running_loop()
            self._end = loop.call_later(self._seconds, self._let_go)

    def fill_soon(self) -> None:
        """Has a process wait, without waiting for it."""
        if self._wants_one():
            self._filler = asyncio.create_task(self._try_to_fill())

    async def _try_to_fill(self) -> None:
        try:
            await self.fill()
        except OSError as error:
            LOG.warning("no worker can be kept in reserve: %s", error)

    async def close(self) -> None:
        """Ends the waiting process; there will be no other."""
        self._closed = True
        process = self._let_go()
        if process:
            await process.end()

    def _wants_one(self) -> bool:
        waits = self._waiting is not None and self._waiting.is_alive
        return self._seconds > 0 and not (waits or self._filling or self._closed)

    def _taken(self) -> TaskProcess | None:
        """Empties the reserve; returns what was in it."""
        if self._end:
            self._end.cancel()
        process, self._waiting, self._end = self._waiting, None, None
        return process

    def _let_go(self) -> TaskProcess | None:
        """Kills the waiting process; returns it."""
        process = self._taken()
        if process:
            process.kill()
        return process
