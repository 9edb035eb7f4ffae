"""One call from its beginning to its end: who calls, request ids, timing, the record, the log."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status
from prometheus_client import Counter

from dlae_core.errors import DlaeError
from dlae_server.access.errors import StreamStalled
from dlae_server.access.guard import ANYBODY, CALLER, Caller
from dlae_server.audit.recording import Audit, caller_of
from dlae_server.metrics import Metrics
from dlae_server.status import internal_status, status_of

LOG = logging.getLogger(__name__)
# How long a stream of answers goes on before its caller is looked at again.
RECHECK_SECONDS = 1.0

# What is known of a call when it is answered -> whose it is.
Admission: TypeAlias = Callable[[Any], Caller]
# Of the present call.
ADMISSION: ContextVar[Admission] = ContextVar("admission")


class Method:
    """A method, with what is the same for all of its calls and is found once.

    Attributes:
        path: `/service/method`.
        name: `service/method`, for the log.
        started: Counts calls that have begun.
        seconds: Counts how long they took.
    """

    def __init__(self, path: str, kind: str, metrics: Metrics) -> None:
        service, _, name = path.strip("/").rpartition("/")
        self._labels = (kind, service, name)
        self._handled = metrics.rpc_handled
        self._of_code: dict[str, Counter] = {}
        self.path = path
        self.name = f"{service}/{name}"
        self.started = metrics.rpc_started.labels(*self._labels)
        self.seconds = metrics.rpc_seconds.labels(*self._labels)

    def handled(self, code: str) -> Counter:
        """Returns what counts calls that have ended so."""
        if code not in self._of_code:
            self._of_code[code] = self._handled.labels(*self._labels, code)
        return self._of_code[code]


class Call:
    """One call: its name, id, time, and whose it is.

    Attributes:
        request_id: Its id, in the log and in what its caller is told.
        silence_seconds: How long an answer of a stream may wait to be taken.
    """

    def __init__(self, method: Method, audit: Audit, silence_seconds: float) -> None:
        self._method = method
        self._admission = ADMISSION.get()
        self._caller = ANYBODY
        self._start = time.monotonic()
        self.request_id = os.urandom(6).hex()
        self.silence_seconds = silence_seconds
        self._note = audit.note(method.path, self.request_id)
        method.started.inc()

    def enter(self, context: Any) -> None:
        """Lets the call in, and notes whose it is.

        Raises:
            Unauthenticated, PermissionDenied: It is not allowed.
        """
        self._note.peer = context.peer()
        self._caller = self._admission(context)
        self._admitted = time.monotonic()
        CALLER.set(self._caller)

    def begin(self, request: Any) -> None:
        """Has the audit log look at what is asked.

        Raises:
            StorageFailed, CorruptArtifact: The call could not be recorded, and has to be.
        """
        self._note.begin(request, self._caller)

    async def answer(self, code: str, response: Any) -> None:
        """Has the audit log record what is about to be answered, as `begin`."""
        await self._note.answer(code, response)

    def stay(self, context: Any) -> None:
        """Lets a call that takes long go on, unless what let it in holds no more.

        Raises:
            Unauthenticated, PermissionDenied: A token has been revoked or has expired.
        """
        if time.monotonic() - self._admitted >= RECHECK_SECONDS:
            self.enter(context)

    @contextmanager
    def taken(self, context: Any) -> Iterator[None]:
        """Waits for an answer to be taken by its reader, who is cut off where it takes too long."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def cut_off() -> None:
            # The reader learns why when it reads on; whoever sends must not wait for that.
            error = StreamStalled(self.silence_seconds, "was taken")
            self._ending = asyncio.ensure_future(self.fail(context, error))
            self._ending.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            if task:
                loop.call_soon(task.cancel)

        waiting = loop.call_later(self.silence_seconds, cut_off)
        try:
            yield
        finally:
            waiting.cancel()

    async def fail(self, context: Any, error: Exception) -> None:
        """Ends the call with the status of an error."""
        if isinstance(error, grpc.aio.AbortError):
            # The health service, which is not ours, has ended its call itself.
            raise error
        self._note.reason = error.reason if isinstance(error, DlaeError) else "INTERNAL"
        self._note.caller = caller_of(error, self._caller)
        if isinstance(error, DlaeError):
            status = status_of(error, self.request_id)
        else:
            LOG.error("request %s failed", self.request_id, exc_info=error)
            status = internal_status(self.request_id)
        await context.abort_with_status(rpc_status.to_status(status))

    def close(self, code: str) -> None:
        """Counts the call, records it, and writes its line to the log."""
        self._note.end(code)
        seconds, method = time.monotonic() - self._start, self._method
        method.handled(code).inc()
        method.seconds.observe(seconds)
        by = f" by {self._caller.name}" if self._caller.name else ""
        LOG.info("request %s %s %s %.4f s%s", self.request_id, method.name, code, seconds, by)
