"""A worker on a cluster, as the server sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from dlae_server.executors.executor import Worker
from dlae_server.jobs.usage import Usage
from dlae_server.jobs.verdict import NEVER_BEGAN, Verdict

END_SECONDS = 10.0


class RemoteWorker(Worker):
    """A worker that is reached by lines to the driver and from it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Begins to wait for what it tells.

        Args:
            tell: Brings `cancel` and `kill` to it.
        """
        self._tell = tell
        self._told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._began = False
        self._cause = ""
        self._usage = Usage()
        self.verdict: Verdict | None = None

    def hear(self, line: dict[str, Any]) -> None:
        """Takes a line that the driver brings from it."""
        self._began = True
        if "message" in line:
            self._told.put_nowait(line["message"])
        elif "usage" in line:
            self._usage = Usage(*line["usage"])
        elif "end" in line:
            verdict = line.get("verdict")
            self._finish(line["end"], Verdict(*verdict) if verdict else None)

    def lose(self, cause: str) -> None:
        """Notes that nothing more will be heard of it, as nobody brings it."""
        self._finish(cause, None if self._began else Verdict(NEVER_BEGAN, cause))

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yields what it tells until it has ended or is lost."""
        while (message := await self._told.get()) is not None:
            yield message

    def usage(self) -> Usage:
        """Returns what it used when that was last told."""
        return self._usage

    def cancel(self) -> None:
        """Asks it to stop its task."""
        if not self._ended.is_set():
            self._tell("cancel")

    def kill(self) -> None:
        """Ends it at once."""
        if not self._ended.is_set():
            self._tell("kill")

    def _finish(self, cause: str, verdict: Verdict | None) -> None:
        if not self._ended.is_set():
            self._cause, self.verdict = cause, verdict
            self._ended.set()
            self._told.put_nowait(None)

    async def end(self) -> str:
        """Makes sure that it is gone; returns why, where it told no end."""
        try:
            await asyncio.wait_for(self._ended.wait(), END_SECONDS)
        except TimeoutError:
            self.kill()
            return "its worker fell silent and was ended"
        return self._cause
