"""The driver: the one process of a server that knows Ray.

`python -m dlae_server.executors.cluster.driver ADDRESS` connects to a cluster and reads lines of
JSON from standard input,

    {"start": 7, "command": [...], "task": {...}, "share": {...}, "environment": {...}}
    {"cancel": 7}
    {"kill": 7}

and writes lines of JSON to standard output: `{"cluster": {"nodes", "foreign"}}`, what the cluster
has, and of each worker `{"run": 7, ...}` with a `message`, its `usage`, and once its `end`. It ends
when its input does or the cluster does not answer; Ray then lets go of its workers.
"""

import json
import os
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO

import ray

from dlae_server.executors.cluster.reports import Reports
from dlae_server.executors.cluster.run import Run, TogetherRun

NAMESPACE = "dlae"
HEARTBEAT_SECONDS = 3.0
# For what Ray does at its own leisure, when we have no more need of it.
FAREWELL_SECONDS = 3.0

Line = dict[str, Any]


class Driver:
    """All workers of a server."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._runs: dict[int, Run] = {}

    def tell(self, line: Line) -> None:
        """Tells the server something."""
        # Where the server is gone, the end of the input says so.
        with self._lock, suppress(BrokenPipeError):
            self._out.write(json.dumps(line) + "\n")
            self._out.flush()

    def hear(self, line: Line) -> None:
        """Does what the server asks for."""
        if "start" in line:
            number = line["start"]
            kind = TogetherRun if line["share"]["machines"] > 1 else Run
            run = self._runs[number] = kind(number, line, self.tell)
            threading.Thread(target=self._follow, args=(number, run), daemon=True).start()
            return
        for what, number in line.items():
            if number in self._runs:
                getattr(self._runs[number], what)()

    def running(self) -> list[Run]:
        """Returns the workers that there are."""
        return list(self._runs.values())

    def _follow(self, number: int, run: Run) -> None:
        run.follow()
        self._runs.pop(number, None)


def main() -> None:
    """Serves until standard input ends."""
    # What libraries print goes to the log.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    ray.init(address=sys.argv[1], namespace=NAMESPACE, log_to_driver=False, logging_level="warning")
    driver = Driver(out)
    reports = Reports(driver.tell, lambda: [run.share.whole for run in driver.running()])
    for work in (reports.work, reports.watch, lambda: _beat(driver)):
        threading.Thread(target=work, daemon=True).start()
    for text in sys.stdin:
        driver.hear(json.loads(text))
    farewell = threading.Thread(target=ray.shutdown, daemon=True)
    farewell.start()
    farewell.join(FAREWELL_SECONDS)
    os._exit(0)


def _beat(driver: Driver) -> None:
    while not threading.Event().wait(HEARTBEAT_SECONDS):
        for run in driver.running():
            if run.began:
                run.heartbeat()


if __name__ == "__main__":
    main()
