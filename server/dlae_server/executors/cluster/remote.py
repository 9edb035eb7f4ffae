"""A worker on a cluster, as the server sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from dlae_server.executors.executor import Worker
from dlae_server.jobs.usage import Usage
from dlae_server.jobs.verdict import NEVER_BEGAN, Verdict

END_SECONDS = 10.0


class RemoteWorker(Worker):
    """A worker that is reached by lines to the driver and from it.

    Attributes:
        verdict: What it died of, where that is known once it has ended.
        collect: Fetches what it has left elsewhere, once it has ended; None: nothing is.
    """

    def __init__(self, tell: Callable[[str], None], log: Path) -> None:
        """Begins to wait for what it tells.

        Args:
            tell: Brings `cancel` and `kill` to it.
            log: Where goes what it has written for people and brings itself.
        """
        self._tell = tell
        self._log = log
        self._told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._began = False
        self._cause = ""
        self._usage = Usage()
        self.verdict: Verdict | None = None
        self.collect: Callable[[], None] | None = None

    def hear(self, line: dict[str, Any]) -> None:
        """Takes a line that the driver brings from it."""
        self._began = True
        if "message" in line:
            self._told.put_nowait(line["message"])
        elif "log" in line:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(line["log"])
        elif "usage" in line:
            self._usage = Usage(*line["usage"])
        elif "end" in line:
            verdict = line.get("verdict")
            self.finish(line["end"], Verdict(*verdict) if verdict else None)

    def lose(self, cause: str) -> None:
        """Notes that nothing more will be heard of it, as nobody brings it."""
        self.finish(cause, None if self._began else Verdict(NEVER_BEGAN, cause))

    def finish(self, cause: str, verdict: Verdict | None) -> None:
        """Notes that it has ended, and why, where it has told no end."""
        if not self._ended.is_set():
            self._cause, self.verdict = cause, verdict
            self._ended.set()
            self._told.put_nowait(None)

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

    async def end(self) -> str:
        """Makes sure that it is gone, and has left what it leaves; returns why it told no end."""
        try:
            await asyncio.wait_for(self._ended.wait(), END_SECONDS)
        except TimeoutError:
            self.kill()
            self.finish("its worker fell silent and was ended", None)
        if self.collect:
            await asyncio.to_thread(self.collect)
        return self._cause
