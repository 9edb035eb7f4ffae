"""How the machines of a training find each other, before TensorFlow connects them.

TensorFlow waits for others for an hour, deaf to everything. So the chief listens at its own address
first, and all begin when all are there.
"""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from dlae_core.errors import MachineLost, TrainingCancelled

# How long machines wait for the others.
WAIT_SECONDS = 600.0
_LOOK_SECONDS = 0.2
_ALL_HERE = b"\n"


class Waiting:
    """Waits for a while, unless it is asked to stop."""

    def __init__(self, cancelled: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        self._cancelled = cancelled
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def go_on(self, missing: str) -> None:
        """Returns where there is time left.

        Raises:
            MachineLost: There is none; some machines are missing.
            TrainingCancelled: It was asked to stop.
        """
        if self._cancelled():
            raise TrainingCancelled("training was stopped on request, before it began")
        if time.monotonic() > self._end:
            raise MachineLost(
                f"expected all machines that TF_CONFIG names within {self._seconds:g} seconds, "
                f"found {missing} missing; start the training on every one of them"
            )


def meet_as_chief(port: int, others: int, waiting: Waiting) -> None:
    """Waits until all other machines are there, and tells them so.

    Args:
        port: Where they ask.
        others: Number of other machines.
        waiting: How long.

    Raises:
        MachineLost: They did not come, or the port cannot be used.
        TrainingCancelled: On request.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(_listener(port))
        here: dict[int, socket.socket] = {}
        while len(here) < others:
            waiting.go_on(f"{others - len(here)} of {others + 1}")
            readable, _, _ = select.select([listener, *here.values()], [], [], _LOOK_SECONDS)
            # Who has something to say before it is told anything has gone.
            here = {index: one for index, one in here.items() if one not in readable}
            if listener in readable:
                with suppress(OSError, ValueError):
                    one = stack.enter_context(listener.accept()[0])
                    one.settimeout(_LOOK_SECONDS)
                    here[int(one.makefile("rb").readline(16))] = one
        for one in here.values():
            with suppress(OSError):
                one.sendall(_ALL_HERE)


def meet(chief: tuple[str, int], index: int, waiting: Waiting) -> None:
    """Tells the chief that this machine is there, and waits until all are.

    Args:
        chief: Host and port.
        index: Of this machine.
        waiting: How long.

    Raises:
        MachineLost: The chief, or another machine, did not come.
        TrainingCancelled: On request.
    """
    while True:
        waiting.go_on("the chief, or others that it waits for,")
        with suppress(OSError), socket.create_connection(chief, timeout=_LOOK_SECONDS) as line:
            line.sendall(f"{index}\n".encode())
            while not select.select([line], [], [], _LOOK_SECONDS)[0]:
                waiting.go_on("others that the chief waits for")
            if line.recv(1) == _ALL_HERE:
                return
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    """Gives a socket that listens at a port."""
    try:
        listener = socket.create_server(("", port))
    except OSError as error:
        raise MachineLost(
            f"expected port {port}, which TF_CONFIG gives this machine, to be free, got: "
            f"{error.strerror}; end the program that uses it, or choose another port"
        ) from error
    with listener:
        yield listener
