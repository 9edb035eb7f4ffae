"""Training on several machines: what their processes do together besides the steps.

Each machine runs one process with the same configuration and the environment variable `TF_CONFIG`.
The first one, the chief, is the only one that writes files and tells of events.

Reference: the guide "Multi-worker training with Keras" of TensorFlow.
"""

import hashlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.errors import InvalidConfig, MachineLost, StorageFailed, Violation
from dlae_core.steps.meeting import Waiting, meet, meet_as_chief

VARIABLE = "TF_CONFIG"
# How TensorFlow says that another machine has ended, or does not answer.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)

_HARDWARE = "training_configurations.hardware"
_ROLES = ("chief", "worker")
_CHUNK_BYTES = 64 << 20
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


@dataclass(frozen=True)
class Place:
    """Which of the machines this process is.

    Attributes:
        addresses: Host and port of every machine, the chief's first.
        index: Of this one; the chief has 0.
    """

    addresses: tuple[tuple[str, int], ...]
    index: int

    @property
    def machines(self) -> int:
        """Number of machines."""
        return len(self.addresses)

    @classmethod
    def of_environment(cls) -> "Place | None":
        """Returns the place that `TF_CONFIG` gives; None: there is no other machine.

        Raises:
            InvalidConfig: The variable cannot be understood.
        """
        text = os.environ.get(VARIABLE, "").strip()
        if not text:
            return None
        try:
            place = _place_of(json.loads(text))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            sentence = (
                f"expected in the environment variable {VARIABLE} JSON such as {_EXAMPLE}, "
                f"got {text[:200]}"
            )
            raise InvalidConfig([Violation(_HARDWARE, "INVALID_TF_CONFIG", sentence)]) from error
        return place if place.machines > 1 else None


class OneMachine:
    """The only machine of a training: it agrees with itself."""

    is_chief = True

    def agreed(self, cancelled: Callable[[], bool]) -> Callable[[], bool]:
        """Returns a function that says whether any machine is asked to stop."""
        return cancelled

    def require_same(self, text: str) -> None:
        """Makes sure that a text is the same on all machines.

        Raises:
            InvalidConfig: It is not.
            MachineLost: Another machine does not answer.
        """

    def copy_from_chief(self, folder: Path) -> None:
        """Gives a folder the files that it has on the chief, in place of its own.

        Raises:
            MachineLost: Another machine does not answer.
            StorageFailed: The disk is full or cannot be written.
        """

    @contextmanager
    def workspace(self, folder: Path) -> Iterator[Path]:
        """Gives the folder to work in."""
        yield folder


class SeveralMachines(OneMachine):
    """One of several machines. Every method must be called on all of them, in the same order."""

    def __init__(self, strategy: tf.distribute.Strategy, place: Place) -> None:
        """Takes its place among the machines that a strategy connects."""
        self._strategy = strategy
        self._place = place
        self.is_chief = place.index == 0
        local = strategy.num_replicas_in_sync // place.machines

        def summed(values: Any) -> Any:
            context = tf.distribute.get_replica_context()
            # Of several devices of one machine the first one speaks.
            speaks = tf.cast(context.replica_id_in_sync_group % local == 0, tf.int64)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, values * speaks)

        def everywhere(values: Any) -> Any:
            return strategy.experimental_local_results(strategy.run(summed, args=(values,)))[0]

        self._summed = tf.function(everywhere, [tf.TensorSpec((None,), tf.int64)], autograph=False)

    def agreed(self, cancelled: Callable[[], bool]) -> Callable[[], bool]:
        """Returns a function that says whether any machine is asked to stop."""
        return lambda: bool(self._sum(np.asarray([cancelled()], np.int64))[0])

    def require_same(self, text: str) -> None:
        """Makes sure that a text is the same on all machines.

        Raises:
            InvalidConfig: It is not.
            MachineLost: Another machine does not answer.
        """
        digests = np.zeros(self._place.machines, np.int64)
        digest = hashlib.sha256(text.encode()).digest()
        digests[self._place.index] = np.frombuffer(digest, np.int64, count=1)[0]
        found = self._sum(digests)
        others = [str(index) for index, one in enumerate(found) if one != found[0]]
        if others:
            sentence = (
                "expected the same configuration, with the same paths to the same files, on all "
                f"machines, got another one than the chief's on machine {', '.join(others)}"
            )
            raise InvalidConfig([Violation(_HARDWARE, "MACHINES_DIFFER", sentence)])

    def copy_from_chief(self, folder: Path) -> None:
        """Gives a folder the files that it has on the chief, in place of its own.

        Raises:
            MachineLost: Another machine does not answer.
            StorageFailed: The disk is full or cannot be written.
        """
        try:
            self._copy(folder)
        except OSError as error:
            raise StorageFailed(f"cannot copy the chief's checkpoints: {error.strerror}") from error

    @contextmanager
    def workspace(self, folder: Path) -> Iterator[Path]:
        """Gives the folder to work in; but for the chief, one for as long as it works."""
        if self.is_chief:
            yield folder
            return
        with tempfile.TemporaryDirectory(prefix="dlae-") as scratch:
            yield Path(scratch)

    def _copy(self, folder: Path) -> None:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        if not self.is_chief:
            for path in paths:
                path.unlink()
        own = json.dumps([path.name for path in paths]).encode() if self.is_chief else b""
        names: list[str] = json.loads(self._broadcast(own))
        for name in names:
            content = self._broadcast((folder / name).read_bytes() if self.is_chief else b"")
            if not self.is_chief:
                (folder / name).write_bytes(content)

    def _broadcast(self, own: bytes) -> bytes:
        """Returns the chief's bytes."""
        size = int(self._sum(np.asarray([len(own)], np.int64))[0])
        words = np.zeros(-(-size // 8), np.int64)
        words.view(np.uint8)[: len(own)] = np.frombuffer(own, np.uint8)
        step = _CHUNK_BYTES // 8
        for start in range(0, len(words), step):
            words[start : start + step] = self._sum(words[start : start + step])
        return words.tobytes()[:size]

    def _sum(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the sum of all machines' values, which have one length."""
        try:
            return np.asarray(self._summed(values), np.int64)
        except LOST as error:
            raise machine_lost(error) from error


def machine_lost(error: tf.errors.OpError) -> MachineLost:
    """Returns what to tell of an error of `LOST`."""
    reason = next(iter(str(error.message).strip().splitlines()), "")
    return MachineLost(
        "expected all machines of the training to take part, found one that has ended or does not "
        f"answer ({reason[:200]}); start the training again on all machines with the chief's "
        "workspace, and it goes on from the last checkpoint"
    )


def connected(place: Place, cancelled: Callable[[], bool]) -> tf.distribute.Strategy:
    """Returns the strategy that connects all machines; waits for those that are not there yet.

    Must be called before the first operation.

    Raises:
        MachineLost: Not all of them came.
        TrainingCancelled: `cancelled` said so while it waited.
    """
    waiting = Waiting(cancelled)
    if place.index:
        meet(place.addresses[0], place.index, waiting)
    else:
        meet_as_chief(place.addresses[0][1], place.machines - 1, waiting)
    # TensorFlow's machines hear of each other's end within seconds. Not with a timeout of its own:
    # each operation between machines would keep a thread waiting for that long.
    handler = signal.getsignal(signal.SIGTERM)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise machine_lost(error) from error
    finally:
        # TensorFlow takes the signal for itself, and does nothing with it.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _place_of(found: Any) -> Place:
    """Returns the place that the content of `TF_CONFIG` gives; raises where it gives none."""
    cluster, task = found["cluster"], found["task"]
    if not set(cluster) <= set(_ROLES):
        raise ValueError(f"roles other than {_ROLES}")
    hosts = {
        (role, index): address
        for role in _ROLES
        for index, address in enumerate(cluster.get(role, ()))
    }
    addresses = tuple(_address(text) for text in hosts.values())
    return Place(addresses, list(hosts).index((task["type"], int(task["index"]))))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
