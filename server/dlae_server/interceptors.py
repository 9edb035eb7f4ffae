"""The interceptor: who calls, and the only place where every fault becomes a status."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from dlae_core.errors import DlaeError
from dlae_server.access.bounding import Read, bounded
from dlae_server.access.guard import Caller, Guard, common_name, header_of
from dlae_server.access.projects import PROJECT_HEADER
from dlae_server.audit.recording import Audit
from dlae_server.calls import ADMISSION, Admission, Call, Method
from dlae_server.metrics import Metrics

CODES: dict[int, str] = {code.value[0]: code.name for code in grpc.StatusCode}
CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Wrapped:
    """A method's handler as gRPC has it, and what stands for it.

    Attributes:
        handler: The service's own.
        let_in: What answers calls that may come in, or of which that is not known yet.
        refused: What answers those that are known not to: nothing of them is read.
    """

    handler: Any
    let_in: Any
    refused: Any


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Wraps every method of every service."""

    def __init__(self, metrics: Metrics, guard: Guard, audit: Audit) -> None:
        self._metrics = metrics
        self._guard = guard
        guard.limits.refused = metrics.refused
        self._audit = audit
        self._wrapped: dict[str, Wrapped] = {}

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Returns the method's handler, wrapped; None for an unknown method."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method, metadata = handler_call_details.method, handler_call_details.invocation_metadata
        wrapped = self._wrapped.get(method)
        if wrapped is None or wrapped.handler is not handler:
            wrapped = self._wrapped[method] = self._wrap(method, handler)
        authorization = header_of(metadata)
        await self._guard.prepare(authorization)
        admission, refused = self._admission(method, authorization, metadata)
        # The handler is called in this context too.
        ADMISSION.set(admission)
        return wrapped.refused if refused else wrapped.let_in

    def _wrap(self, path: str, handler: Any) -> Wrapped:
        kind, wrap = _WRAPS[bool(handler.request_streaming), bool(handler.response_streaming)]
        method, limits = Method(path, kind, self._metrics), self._guard.limits

        def begin() -> Call:
            return Call(method, self._audit, limits.silence_seconds)

        unread = _WRAPS[True, True][1]
        return Wrapped(
            handler,
            wrap(bounded(path, handler, limits), begin),
            unread(bounded(path, _UNREAD, limits), begin),
        )

    def _admission(
        self, method: str, authorization: str | None, metadata: Any
    ) -> tuple[Admission, bool]:
        """Returns what lets a call in, and whether it is known already that it does not."""
        guard, project = self._guard, header_of(metadata, PROJECT_HEADER)
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
                call.begin(_message(request))
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
                call.begin(_message(request))
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


def _message(request: Any) -> Any:
    """Returns what is asked, where it is one message."""
    return request.message if isinstance(request, Read) else request


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
