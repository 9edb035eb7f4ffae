"""The interceptor: who calls, request ids, timing, and the only place where a call is failed."""

import asyncio
import inspect
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status

from dlae_core.errors import DlaeError
from dlae_server.access.bounding import bounded
from dlae_server.access.errors import StreamStalled
from dlae_server.access.guard import (
    ANYBODY,
    CALLER,
    Caller,
    Guard,
    common_name,
    header_of,
)
from dlae_server.access.projects import PROJECT_HEADER
from dlae_server.audit.recording import Audit, caller_of
from dlae_server.metrics import Metrics
from dlae_server.status import internal_status, status_of

LOG = logging.getLogger(__name__)
CODES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}
CANCELLED = "CANCELLED"
# How long a stream of answers goes on before its caller is looked at again.
RECHECK_SECONDS = 1.0

# What is known of a call when it is answered -> whose it is.
Admission: TypeAlias = Callable[[Any], Caller]


class Call:
    """One call: its name, id, time, and whose it is.

    Attributes:
        request_id: Its id, in the log and in what its caller is told.
        silence_seconds: How long an answer of a stream may wait to be taken.
    """

    silence_seconds = 60.0

    def __init__(
        self, method: str, kind: str, metrics: Metrics, admission: Admission, audit: Audit
    ) -> None:
        service, _, name = method.strip("/").rpartition("/")
        self._metrics = metrics
        self._admission = admission
        self._caller = ANYBODY
        self._labels = (kind, service, name)
        self._start = time.monotonic()
        self.request_id = uuid.uuid4().hex[:12]
        self._note = audit.note(method, self.request_id)
        metrics.rpc_started.labels(*self._labels).inc()

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
        seconds = time.monotonic() - self._start
        self._metrics.rpc_handled.labels(*self._labels, code).inc()
        self._metrics.rpc_seconds.labels(*self._labels).observe(seconds)
        method = "/".join(self._labels[1:])
        by = f" by {self._caller.name}" if self._caller.name else ""
        LOG.info("request %s %s %s %.4f s%s", self.request_id, method, code, seconds, by)


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Wraps every method of every service."""

    def __init__(self, metrics: Metrics, guard: Guard, audit: Audit) -> None:
        self._metrics = metrics
        self._guard = guard
        guard.limits.refused = metrics.refused
        self._audit = audit

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Returns the method's handler, wrapped; None for an unknown method."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        await self._guard.prepare(header_of(handler_call_details.invocation_metadata))
        kind, wrap = _WRAPS[bool(handler.request_streaming), bool(handler.response_streaming)]
        method = handler_call_details.method
        admission, refused = self._admission(method, handler_call_details.invocation_metadata)
        if refused:
            handler, wrap = _UNREAD, _WRAPS[True, True][1]
        handler = bounded(method, handler, self._guard.limits)

        def begin() -> Call:
            call = Call(method, kind, self._metrics, admission, self._audit)
            call.silence_seconds = self._guard.limits.silence_seconds
            return call

        return wrap(handler, begin)

    def _admission(self, method: str, metadata: Any) -> tuple[Admission, bool]:
        """Returns what lets a call in, and whether it is known already that it does not."""
        authorization, guard = header_of(metadata), self._guard
        project = header_of(metadata, PROJECT_HEADER)
        if not guard.decides_early(authorization):
            return lambda context: guard.admit(
                method, None, common_name(context.auth_context()), project
            ), False

        def admitted() -> Caller:
            return guard.admit(method, authorization, project=project)

        try:
            known = [admitted()]
        except DlaeError as error:
            return _raising(error), True
        return lambda context: known.pop() if known else admitted(), False


def _raising(error: DlaeError) -> Admission:
    def refuse(context: Any) -> Caller:
        raise error

    return refuse


async def _nothing(requests: Any, context: Any) -> AsyncIterator[Any]:
    """Answers nothing and reads nothing: what stands for a method that may not be called."""
    responses: tuple[Any, ...] = ()
    for response in responses:
        yield response


_UNREAD = grpc.stream_stream_rpc_method_handler(_nothing)


def _single(behaviour: str, make: Callable[..., Any]) -> Callable[..., Any]:
    """Returns how to wrap methods of one response, whatever they are asked with."""

    def wrap(handler: Any, begin: Callable[[], Call]) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            call, code = begin(), CANCELLED
            try:
                call.enter(context)
                call.begin(request)
                response = await getattr(handler, behaviour)(request, context)
                code = _code(context)
                await call.answer(code, response)
            except Exception as error:  # the outermost place: every fault becomes a status
                try:
                    await call.fail(context, error)
                finally:
                    code = _code(context)
            finally:
                # Counted and logged once the answer is on its way.
                asyncio.get_running_loop().call_soon(call.close, code)
            return response

        return _method(make, answer, handler)

    return wrap


def _streaming(behaviour: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def wrap(handler: Any, begin: Callable[[], Call]) -> Any:
        async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
            call, code = begin(), CANCELLED
            try:
                call.enter(context)
                call.begin(request)
                async for response in _responses(getattr(handler, behaviour), request, context):
                    call.stay(context)
                    with call.taken(context):
                        yield response
                code = _code(context)
            except Exception as error:  # the outermost place, as above
                try:
                    await call.fail(context, error)
                finally:
                    code = _code(context)
            finally:
                call.close(code)

        return _method(make, answer, handler)

    return wrap


async def _responses(behaviour: Callable[..., Any], request: Any, context: Any) -> Any:
    """Yields the responses of a method; one that writes them itself yields none."""
    answer = behaviour(request, context)
    if inspect.isawaitable(answer):
        await answer
        return
    async for response in answer:
        yield response


def _method(make: Callable[..., Any], answer: Any, handler: Any) -> Any:
    return make(
        answer,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


# (request streams, response streams) -> the type's name in metrics, and how to wrap.
_WRAPS: dict[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary", _single("unary_unary", grpc.unary_unary_rpc_method_handler)),
    (True, False): ("client_stream", _single("stream_unary", grpc.stream_unary_rpc_method_handler)),
    (False, True): (
        "server_stream",
        _streaming("unary_stream", grpc.unary_stream_rpc_method_handler),
    ),
    (True, True): (
        "bidi_stream",
        _streaming("stream_stream", grpc.stream_stream_rpc_method_handler),
    ),
}


def _code(context: Any) -> str:
    """Returns the name of a call's status, which gRPC keeps as a number or an enum."""
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return str(code.name)
    return CODES.get(code or 0, "UNKNOWN")
