"""What is new, for all who wait for it: kept in memory for those who are up to date."""

import asyncio
from collections import deque

from dlae.v1 import training_pb2 as pb
from dlae_server.jobs.states import Job

# Events kept for those who are about to read them; others find theirs in the store.
KEPT = 64


class Feed:
    """Changes of one thing.

    Attributes:
        count: How many there have been.
        readers: How many follow it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.readers = 0
        self._job: Job | None = None
        self._recent: deque[pb.JobEvent] = deque(maxlen=KEPT)
        self._change: asyncio.Future[None] | None = None

    def tell(self, job: Job, event: pb.JobEvent) -> None:
        """Takes an event that is on disk, and wakes who waits."""
        if self._recent and event.sequence != self._recent[-1].sequence + 1:
            self._recent.clear()
        self._job = job
        self._recent.append(event)
        self.wake()

    def forget(self) -> None:
        """Has everybody look at the store."""
        self._job = None
        self._recent.clear()
        self.wake()

    def wake(self) -> None:
        """Wakes who waits for a change."""
        self.count += 1
        change, self._change = self._change, None
        if change:
            change.set_result(None)

    def since(self, after: int) -> tuple[Job, list[pb.JobEvent]] | None:
        """Returns the job and its events after a sequence number; None where they are not here."""
        if self._job is None or not self._recent or after < self._recent[0].sequence - 1:
            return None
        return self._job, [event for event in self._recent if event.sequence > after]

    async def change_after(self, seen: int, seconds: float | None) -> bool:
        """Waits until there have been more changes than `seen`; returns whether in time."""
        if self.count != seen:
            return True
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.wait((self._change,), timeout=seconds)
        return self.count != seen
