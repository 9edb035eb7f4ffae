"""What a supervisor asks of the place where the workers of its jobs run."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

from dlae.v1 import training_pb2 as pb
from dlae_server.jobs.usage import Usage
from dlae_server.jobs.verdict import Verdict


class Worker(Protocol):
    """A worker that has its task, wherever it runs.

    Attributes:
        verdict: What it died of, where that is known once it has ended.
    """

    verdict: Verdict | None

    def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yields what it tells until it has nothing more to tell, or is lost."""

    def cancel(self) -> None:
        """Asks it to stop its task."""

    def kill(self) -> None:
        """Ends it at once."""

    async def end(self) -> str:
        """Makes sure that it is gone; returns why, where it told no end."""

    def usage(self) -> Usage:
        """Returns what it uses, as far as that is known."""


class Executor(Protocol):
    """Runs workers, and knows how many of them find a place.

    A job takes a place before it begins, and gives it back when it is over.
    """

    @property
    def is_full(self) -> bool:
        """Whether no other job can begin, whatever it asks for."""

    def obstacle(self, options: pb.JobOptions) -> str:
        """Returns why a job cannot begin, be there others or not; empty where it can."""

    async def open(self, changed: Callable[[], None]) -> None:
        """Gets ready; calls `changed` from then on when there may be room for another job."""

    def check(self, job: pb.Job, config: str) -> None:
        """Refuses what will never be free, or cannot be done.

        Raises:
            InvalidRequest: More is asked for than there is.
        """

    def take(self, job_id: str, options: pb.JobOptions, config: str) -> bool:
        """Keeps what a job needs for it; returns False where that is not free."""

    def give_back(self, job_id: str) -> None:
        """Takes back what a job had."""

    async def start(self, job_id: str, task: dict[str, Any], log: Path) -> Worker:
        """Has a worker do a task with what its job has taken.

        Args:
            job_id: The job.
            task: What to do, as the worker expects it, but for log and devices.
            log: Where the worker writes what is meant for people.

        Raises:
            OSError: No process can be started.
        """

    def expect_more(self) -> None:
        """Hears that the networks of a job are built: another worker may get ready."""

    async def close(self) -> None:
        """Ends all workers."""
