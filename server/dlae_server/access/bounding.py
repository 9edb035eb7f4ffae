"""Methods held to their bounds: each call in time, in size, and no more of a caller than may be.

A writer of a stream that sends nothing for a while is cut off: what it keeps is needed by others.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest

from dlae_server.access.bounds import Bound, bound_of
from dlae_server.access.errors import CallTooLong, RequestTooLarge, StreamStalled
from dlae_server.access.guard import CALLER
from dlae_server.access.limits import Limits, Taking
from dlae_server.errors import InvalidRequest

# (request streams, response streams) -> where a handler has its behaviour.
_BEHAVIOURS = {
    (False, False): "unary_unary",
    (True, False): "stream_unary",
    (False, True): "unary_stream",
    (True, True): "stream_stream",
}


class Read(NamedTuple):
    """A message as it has come.

    Attributes:
        message: The request; where the bytes are none, a `BadRequest` that says so.
        size: Bytes of it. The message itself would have to be written anew to be measured.
    """

    message: Any
    size: int


def bounded(method: str, handler: Any, limits: Limits) -> Any:
    """Returns the handler of a method that is held to its bounds; it is given `Read`s.

    Args:
        method: `/service/method`.
        handler: What gRPC has of it.
        limits: What a caller may do at once.
    """
    bound, silence = bound_of(method), limits.silence_seconds
    name = _BEHAVIOURS[bool(handler.request_streaming), bool(handler.response_streaming)]
    behaviour = getattr(handler, name)

    def received(request: Any, taking: Taking) -> Any:
        """Looks at what is asked: one message, or a stream of them."""
        if handler.request_streaming:
            return _timely(request, bound, taking, silence)
        return _taken(request, bound, taking)

    async def single(request: Any, context: Any) -> Any:
        with limits.call(CALLER.get().name, method) as taking:
            async with in_time(bound.seconds):
                return await behaviour(received(request, taking), context)

    async def several(request: Any, context: Any) -> AsyncIterator[Any]:
        with limits.call(CALLER.get().name, method) as taking:
            answer = behaviour(received(request, taking), context)
            if inspect.isawaitable(answer):
                # It writes its responses itself.
                await answer
                return
            async for response in _ending(answer, bound.seconds):
                yield response

    behaviours = {name: several if handler.response_streaming else single}
    read = _reading(method, handler.request_deserializer)
    return handler._replace(request_deserializer=read, **behaviours)


def _reading(method: str, deserializer: Callable[[bytes], Any]) -> Callable[[bytes], Read]:
    """Returns what reads requests; bytes that are none become a message that says so.

    Otherwise gRPC would take them for a fault of the server's.
    """

    def read(data: bytes) -> Read:
        try:
            return Read(deserializer(data), len(data))
        except DecodeError:
            name = method.rpartition("/")[2]
            sentence = f"expected a request of {name}, got bytes that are none"
            violation = BadRequest.FieldViolation(description=sentence)
            return Read(BadRequest(field_violations=[violation]), len(data))

    return read


def _taken(read: Read, bound: Bound, taking: Taking) -> Any:
    """Returns the message, where it may come."""
    message, size = read
    if isinstance(message, BadRequest):
        raise InvalidRequest(message.field_violations[0].description)
    if bound.message_bytes is not None and size > bound.message_bytes:
        raise RequestTooLarge(size, bound.message_bytes)
    if bound.keeps:
        taking.take(size)
    return message


@asynccontextmanager
async def in_time(seconds: float | None) -> AsyncIterator[None]:
    """Ends what takes longer.

    Raises:
        CallTooLong: It does.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired() and seconds is not None:
            raise CallTooLong(seconds) from error
        raise


async def _timely(
    requests: AsyncIterator[Any], bound: Bound, taking: Taking, silence_seconds: float
) -> AsyncIterator[Any]:
    """Yields requests as they come, as long as they come.

    Raises:
        StreamStalled: Nothing comes for a while.
        CallTooLong: They have been coming for too long.
        RequestTooLarge, CallerLimit: One, or all, are too large.
    """
    loop, requests = asyncio.get_running_loop(), aiter(requests)
    end = None if bound.seconds is None else loop.time() + bound.seconds
    while True:
        if end is not None and loop.time() > end:
            raise CallTooLong(bound.seconds or 0.0)
        limit = asyncio.timeout(silence_seconds)
        try:
            async with limit:
                request = await anext(requests)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            if limit.expired():
                raise StreamStalled(silence_seconds) from error
            raise
        yield _taken(request, bound, taking)


async def _ending(responses: AsyncIterator[Any], seconds: float | None) -> AsyncIterator[Any]:
    """Yields responses.

    Raises:
        CallTooLong: They have been going for too long.
    """
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    async for response in responses:
        if end is not None and loop.time() > end:
            raise CallTooLong(seconds or 0.0)
        yield response
