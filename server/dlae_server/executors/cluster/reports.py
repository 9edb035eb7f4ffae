"""What a cluster has, as the driver tells the server again and again."""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError

from dlae_server.executors.cluster.needs import Needs

REPORT_SECONDS = 0.5
# Without an answer of the cluster the driver ends, and the server tries again with another.
LOST_SECONDS = 10.0


class Reports:
    """Asks Ray what there is, and ends the process when it does not answer."""

    def __init__(
        self, tell: Callable[[dict[str, Any]], None], ours: Callable[[], list[Needs]]
    ) -> None:
        """Prepares it.

        Args:
            tell: Takes a report that differs from the one before.
            ours: Returns what the workers of this server have, or wait for.
        """
        self._tell = tell
        self._ours = ours
        self._answered = time.monotonic()
        self._last: dict[str, Any] = {}
        self._before = Needs()

    def work(self) -> None:
        """Reports for as long as the process lives."""
        while True:
            try:
                report = self._report()
            except RayError as error:
                give_up(f"{type(error).__name__}: {error}")
            self._answered = time.monotonic()
            if report != self._last:
                self._last = report
                self._tell({"cluster": report})
            time.sleep(REPORT_SECONDS)

    def watch(self) -> None:
        """Ends the process where the cluster has not answered for too long."""
        while time.monotonic() - self._answered < LOST_SECONDS:
            threading.Event().wait(1.0)
        give_up(f"no answer for {LOST_SECONDS:g} s")

    def _report(self) -> dict[str, Any]:
        ours = sum(self._ours(), Needs())
        nodes = [_needs(node["Resources"]) for node in ray.nodes() if node["Alive"]]
        total, free = sum(nodes, Needs()), _needs(ray.available_resources())
        # What a worker that has just ended had is still counted as used for a moment.
        now = Needs(
            max(total.cores - free.cores - ours.cores, 0),
            max(total.gpus - free.gpus - ours.gpus, 0),
        )
        before, self._before = self._before, now
        foreign = Needs(min(now.cores, before.cores), min(now.gpus, before.gpus))
        return {"nodes": [node.as_values() for node in nodes], "foreign": foreign.as_values()}


def give_up(reason: str) -> NoReturn:
    """Ends the process, as it has lost the cluster."""
    sys.stderr.write(f"the cluster is lost: {reason}\n")
    sys.stderr.flush()
    os._exit(1)


def _needs(resources: dict[str, float]) -> Needs:
    return Needs(resources.get("CPU", 0.0), resources.get("GPU", 0.0), resources.get("memory", 0.0))
