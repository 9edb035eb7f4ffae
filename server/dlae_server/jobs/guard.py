"""Limits of a running job: time, memory, and how long its worker may be silent and idle."""

import asyncio
import time

from dlae_server.executors.executor import Worker
from dlae_server.jobs.states import Job
from dlae_server.jobs.verdict import HUNG, OUT_OF_MEMORY, TIME_LIMIT, Verdict
from dlae_server.settings import Settings

LOOK_SECONDS = 1.0
# Of one core: who uses less does nothing. A worker that waits for a GPU uses more.
IDLE = 0.01


class Guard:
    """Watches one worker.

    Attributes:
        verdict: Why it was stopped, None where it was not.
    """

    def __init__(self, job: Job, worker: Worker, settings: Settings) -> None:
        self.verdict: Verdict | None = None
        self._options = job.options
        self._worker = worker
        self._settings = settings
        self._start = time.monotonic()
        self._seconds_before = job.run_seconds
        self.told()

    def told(self) -> None:
        """Notes that the worker has told of something."""
        self._silent_since = time.monotonic()
        self._used = self._worker.usage().cpu_seconds

    async def watch(self) -> None:
        """Stops the worker where it goes too far: at a step first, for want of time."""
        while self.verdict is None:
            await asyncio.sleep(LOOK_SECONDS)
            self.verdict = self._judge()
        if self.verdict.reason == TIME_LIMIT:
            self._worker.cancel()
            await asyncio.sleep(self._settings.grace_seconds)
        self._worker.kill()

    def _judge(self) -> Verdict | None:
        now = time.monotonic()
        limit = self._options.time_limit_seconds
        if 0 < limit <= self._seconds_before + now - self._start:
            return Verdict(TIME_LIMIT, f"it has run for its limit of {limit} s")
        most, used = self._options.memory_limit_bytes, self._worker.usage().resident_bytes
        if 0 < most < used:
            return Verdict(
                OUT_OF_MEMORY,
                f"its worker used {used >> 20} MiB of memory, more than its limit of "
                f"{most >> 20} MiB; raise the limit, or lower training_configurations.batch_size",
            )
        silent, allowed = now - self._silent_since, self._settings.silent_seconds
        if 0 < allowed < silent:
            # A worker elsewhere may not have been heard of yet.
            known = self._used < float("inf")
            if known and self._worker.usage().cpu_seconds - self._used < silent * IDLE:
                return Verdict(
                    HUNG, f"its process told nothing and did nothing for {round(silent)} s"
                )
            self.told()
        return None
