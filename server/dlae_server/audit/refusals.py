"""Refused calls: recorded one by one, unless somebody makes so many that the disk would fill."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from dlae_server.audit.records import now

WINDOW_SECONDS = 10.0
MOST = 100


class Refusals:
    """Passes on at most 100 records of a status in 10 s, then how many more there were."""

    def __init__(self, add: Callable[[dict[str, Any]], None], status: str) -> None:
        self._add = add
        self._status = status
        self._start = 0.0
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, facts: dict[str, Any]) -> None:
        """Takes a record."""
        if time.monotonic() - self._start > WINDOW_SECONDS:
            self.close()
            self._start, self._count = time.monotonic(), 0
        self._count += 1
        if self._count <= MOST:
            self._add(facts)
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(WINDOW_SECONDS, self.close)

    def close(self) -> None:
        """Tells how many were left out."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._count > MOST:
            more = self._count - MOST
            self._add({"what": "refusals", "time": now(), "status": self._status, "calls": more})
            self._count = 0
