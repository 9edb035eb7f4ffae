"""One worker on the cluster, or several that train together, as the driver sees them."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from dlae_server.executors.cluster.hands import Hands
from dlae_server.executors.cluster.needs import Needs, Share
from dlae_server.executors.cluster.reports import give_up

# A generator, requests to stop and heartbeats come to an actor at once.
THREADS = 4
# Of one worker, the others work on. What else Ray raises says that the cluster is not there, or not
# the one that it was.
OF_ONE_WORKER = (
    *(RayActorError, RayTaskError, WorkerCrashedError),
    *(OutOfMemoryError, NodeDiedError, ObjectLostError),
)
LOOK_SECONDS = 1.0
MACHINE_LOST = "MACHINE_LOST"
ENDED = "its worker on the cluster was ended"

Line = dict[str, Any]


class Run:
    """A worker, from its start to its end.

    Attributes:
        share: What it takes of the cluster.
        began: Whether it has told anything.
    """

    def __init__(self, number: int, order: Line, tell: Callable[[Line], None]) -> None:
        self._number = number
        self._order = order
        self._tell = tell
        self.share = Share.of(order["share"])
        self.began = False
        self._hands: list[Any] = []
        self._gone = threading.Event()

    def follow(self) -> None:
        """Has Ray start it, and tells what it tells."""
        end: Line = {"end": ENDED}
        try:
            for line in self._lines():
                if "end" in line:
                    end = line
                else:
                    self._say(line)
        except OF_ONE_WORKER as error:
            sys.stderr.write(f"{error}\n")
            name = type(error).__name__
            end = {"end": f"its node or its worker on the cluster was lost ({name})"}
        except RayError as error:
            give_up(f"{type(error).__name__}: {error}")
        self.let_go()
        self._say(end)

    def cancel(self) -> None:
        """Asks it to stop; one that still waits for a place is ended."""
        if self.began:
            self._ask("cancel", self._hands[:1])
        else:
            self.let_go()

    def kill(self) -> None:
        """Ends it at once."""
        if self.began:
            self._ask("kill", self._hands)
        else:
            self.let_go()

    def heartbeat(self) -> None:
        """Lets it know that it is still wanted."""
        self._ask("heartbeat", self._hands)

    def let_go(self) -> None:
        """Gives its place back."""
        self._gone.set()
        for one in self._hands:
            with suppress(RayError, ValueError):
                ray.kill(one)

    def _lines(self) -> Iterator[Line]:
        """Yields what it tells."""
        self._hands = [_hands(self.share.needs)]
        yield from self._told(0, self._order["task"])

    def _told(self, index: int, task: Line) -> Iterator[Line]:
        run = self._hands[index].run.options(num_returns="streaming")
        for reference in run.remote({**self._order, "task": task}):
            line = ray.get(reference)
            self.began = True
            yield line

    def _ask(self, what: str, hands: list[Any]) -> None:
        for one in hands:
            with suppress(RayError):
                getattr(one, what).remote()

    def _say(self, line: Line) -> None:
        self._tell({"run": self._number, **line})


class TogetherRun(Run):
    """Workers that train together, each on a node of its own; the first tells for all."""

    _group: PlacementGroup | None = None

    def let_go(self) -> None:
        """Gives its places back."""
        super().let_go()
        if self._group is not None:
            with suppress(RayError, ValueError):
                remove_placement_group(self._group)

    def _lines(self) -> Iterator[Line]:
        """Yields what the first tells; where any is lost, all are."""
        if not self._placed():
            return
        places = range(self.share.machines)
        self._hands = [_hands(self.share.needs, self._group, index) for index in places]
        addresses = ray.get([one.address.remote() for one in self._hands])
        tasks = [machine_task(self._order["task"], addresses, index) for index in places]
        for index in places[1:]:
            arguments = (index, tasks[index])
            threading.Thread(target=self._accompany, args=arguments, daemon=True).start()
        for line in self._told(0, tasks[0]):
            if line.get("message", {}).get("failure", {}).get("reason") == MACHINE_LOST:
                # It goes on when all are there again, as after the loss of a worker.
                yield {"end": "a machine of its training was lost"}
                return
            yield line

    def _placed(self) -> bool:
        """Waits for a node for each; returns whether they are still wanted."""
        bundles = [_bundle(self.share.needs)] * self.share.machines
        self._group = placement_group(bundles, strategy="STRICT_SPREAD")
        while not self._group.wait(timeout_seconds=LOOK_SECONDS):
            if self._gone.is_set():
                return False
        return not self._gone.is_set()

    def _accompany(self, index: int, task: Line) -> None:
        """Follows another machine than the first: without it the first trains no further."""
        message: Line = {}
        with suppress(RayError):
            for line in self._told(index, task):
                message = line.get("message", message)
        if "result" not in message and "cancelled" not in message:
            self._ask("kill", self._hands[:1])


def machine_task(task: Line, addresses: list[str], index: int) -> Line:
    """Returns the task of one machine; those but the first write no log that anybody reads."""
    place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    log = Path(task["log"])
    own = log if index == 0 else log.with_stem(f"{log.stem}-{index}")
    return {**task, "machines": place, "log": str(own)}


def _hands(needs: Needs, group: PlacementGroup | None = None, index: int = 0) -> Any:
    actor = ray.remote(max_restarts=0, max_task_retries=0, max_concurrency=THREADS)(Hands)
    options = {"num_cpus": needs.cores, "num_gpus": needs.gpus, "memory": needs.memory_bytes}
    if group is not None:
        options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(group, index)
    return actor.options(**options).remote()


def _bundle(needs: Needs) -> dict[str, float]:
    found = {"CPU": needs.cores, "GPU": needs.gpus, "memory": needs.memory_bytes}
    return {name: amount for name, amount in found.items() if amount}
