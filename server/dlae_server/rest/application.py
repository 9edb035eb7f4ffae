"""The application: paths of the protocol to its methods, errors to JSON.

It answers on the path of the gRPC service, which is asked with the same messages. A page in a
browser cannot use it: its requests carry `Origin`, or, without TLS, a `Host` that is not this
machine.
"""

import asyncio
import logging
import math
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlae_core.errors import DlaeError
from dlae_server import oip
from dlae_server.access.bounding import in_time
from dlae_server.access.bounds import bound_of
from dlae_server.access.guard import CALLER, HEADER, Guard
from dlae_server.access.projects import PROJECT_HEADER
from dlae_server.audit.recording import caller_of
from dlae_server.errors import InvalidRequest, QueueFull, TensorTooLarge
from dlae_server.rest.messages import as_object, infer_request, infer_response
from dlae_server.services.open_inference import OpenInferenceService
from dlae_server.settings import Settings
from dlae_server.status import code_of

LOG = logging.getLogger(__name__)
JSON_END = "Inference-Header-Content-Length"
# Above it, reading and writing JSON would keep other calls waiting for longer than a thread takes.
INLINE_BYTES = 64 << 10
# Names of gRPC's codes -> statuses of HTTP.
STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# Statuses of HTTP -> names of gRPC's codes, for the audit log.
_CODES = {200: "OK", **{status: code for code, status in reversed(STATUSES.items())}}
_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def application(service: OpenInferenceService, settings: Settings, guard: Guard) -> Starlette:
    """Returns the application.

    Args:
        service: What answers.
        settings: Limits of sizes and times.
        guard: Who may ask; each path asks for what its method asks for.
    """
    rest = _Rest(service, settings)
    paths = [
        ("GET", "/v2", rest.metadata, "ServerMetadata"),
        ("GET", "/v2/health/live", rest.health("ServerLive", "live"), "ServerLive"),
        ("GET", "/v2/health/ready", rest.health("ServerReady", "ready"), "ServerReady"),
        ("GET", "/v2/models/stats", rest.told("ModelStatistics"), "ModelStatistics"),
        ("POST", "/v2/repository/index", rest.index, "RepositoryIndex"),
    ]
    for work in ("load", "unload"):
        method = f"RepositoryModel{work.capitalize()}"
        path = f"/v2/repository/models/{{name}}/{work}"
        paths.append(("POST", path, rest.managed(method), method))
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        paths += [
            ("GET", model, rest.told("ModelMetadata"), "ModelMetadata"),
            ("GET", f"{model}/ready", rest.health("ModelReady", "ready"), "ModelReady"),
            ("GET", f"{model}/config", rest.told("ModelConfig", "config"), "ModelConfig"),
            ("GET", f"{model}/stats", rest.told("ModelStatistics"), "ModelStatistics"),
            ("POST", f"{model}/infer", rest.infer, "ModelInfer"),
        ]
    routes = [
        Route(path, _answering(work, method, guard, service), methods=[verb])
        for verb, path, work, method in paths
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused})


class _Rest:
    def __init__(self, service: OpenInferenceService, settings: Settings) -> None:
        self._service = service
        self._settings = settings

    async def infer(self, request: Request) -> Response:
        body = await self._body(request)
        asked = await _apart(len(body), infer_request, body, _json_end(request))
        asked.message.model_name = request.path_params["name"]
        asked.message.model_version = request.path_params.get("version", "")
        del body
        answer = await _unless_gone(request, self._call("ModelInfer", asked.message))
        size = sum(map(len, answer.raw_output_contents))
        content, end = await _apart(size, infer_response, answer, asked)
        if end is None:
            return Response(content, media_type="application/json")
        headers = {JSON_END: str(end)}
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def metadata(self, request: Request) -> Response:
        answer = as_object(await self._call("ServerMetadata"))
        answer["extensions"] = sorted((*answer["extensions"], "binary_tensor_data"))
        return JSONResponse(answer)

    async def index(self, request: Request) -> Response:
        fields = await self._fields(request)
        asked = oip.message("RepositoryIndexRequest")(ready=fields.get("ready") is True)
        return JSONResponse(as_object(await self._call("RepositoryIndex", asked))["models"])

    def health(self, method: str, field: str) -> Handler:
        """Returns what answers with a status alone."""

        async def work(request: Request) -> Response:
            answer = await self._call(method, **request.path_params)
            return Response(status_code=200 if getattr(answer, field) else 400)

        return work

    def told(self, method: str, field: str = "") -> Handler:
        """Returns what answers with a message, or one of its fields."""

        async def work(request: Request) -> Response:
            answer = await self._call(method, **request.path_params)
            return JSONResponse(as_object(getattr(answer, field) if field else answer))

        return work

    def managed(self, method: str) -> Handler:
        """Returns what loads or unloads a model."""

        async def work(request: Request) -> Response:
            given = (await self._fields(request)).get("parameters") or {}
            names = [str(name) for name in given if name != "unload_dependents"]
            if names:
                raise InvalidRequest(f"expected no parameters, got {', '.join(names)[:80]}")
            await self._call(method, model_name=request.path_params["name"])
            return JSONResponse({})

        return work

    async def _call(self, method: str, asked: Any = None, **fields: str) -> Any:
        if asked is None:
            asked = oip.methods()[method][0](**fields)
        return await self._service.method(method)(asked, None)

    async def _fields(self, request: Request) -> dict[str, Any]:
        """Returns a body that is an object of JSON, or nothing."""
        if not await self._body(request):
            return {}
        try:
            found = await request.json()
        except (ValueError, RecursionError) as error:
            raise InvalidRequest("expected JSON, got what cannot be read") from error
        if not isinstance(found, dict) or not isinstance(found.get("parameters", {}), dict | None):
            raise InvalidRequest("expected a JSON object, and one for 'parameters'")
        return found

    async def _body(self, request: Request) -> bytes:
        """Returns the whole body, where it is not too large and comes in time."""
        limit = self._settings.message_bytes
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "expected a body without Content-Encoding")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._settings.rest_body_seconds):
                _refuse_larger(int(request.headers.get("content-length", 0)), limit)
                async for part in request.stream():
                    size += len(part)
                    _refuse_larger(size, limit)
                    parts.append(part)
        except TimeoutError as error:
            raise HTTPException(408, "expected the whole request, got a part of it") from error
        request.state.taking.take(size)
        request._body = parts[0] if len(parts) == 1 else b"".join(parts)
        return request._body


def _refuse_larger(size: int, limit: int) -> None:
    if size > limit:
        raise TensorTooLarge(size, limit)


def _json_end(request: Request) -> int | None:
    value = request.headers.get(JSON_END)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 12:
        raise InvalidRequest(f"expected a number of bytes for {JSON_END}, got '{value[:80]}'")
    return int(value)


async def _apart(size: int, work: Callable[..., Any], *arguments: object) -> Any:
    """Runs work on `size` bytes, in a thread where it is large."""
    if size <= INLINE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Any]) -> Any:
    """Waits for work, which is cancelled where the client goes."""
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answering(work: Handler, method: str, guard: Guard, service: OpenInferenceService) -> Handler:
    """Returns a handler that lets in who may ask, and whose errors are answers."""
    path = f"/{oip.SERVICE}/{method}"

    async def answer(request: Request) -> Response:
        request_id = uuid.uuid4().hex[:12]
        note = service.audit.note(path, request_id)
        try:
            note.peer = f"http:{request.client.host}:" if request.client else ""
            _refuse_pages(request)
            headers = request.headers
            project = headers.get(PROJECT_HEADER)
            await guard.prepare(headers.get(HEADER))
            CALLER.set(caller := guard.admit(path, headers.get(HEADER), "", project))
            note.begin(None, caller)
            with guard.limits.call(caller.name, path) as request.state.taking:
                async with in_time(bound_of(path).seconds):
                    response = await work(request)
            await note.answer("OK", None)
        except DlaeError as error:
            note.reason, note.caller = error.reason, caller_of(error, note.caller)
            response = _failure(error)
        except ClientDisconnect:
            response = _error(499, "the client has gone")
        except HTTPException as error:
            response = _error(error.status_code, error.detail)
        except Exception as error:  # the outermost place: every fault becomes a status
            LOG.error("request %s failed", request_id, exc_info=error)
            message = f"internal error; the server's log has it under request {request_id}"
            response = _error(500, message)
        note.end(_CODES.get(response.status_code, f"HTTP_{response.status_code}"))
        response.headers["x-request-id"] = request_id
        LOG.info("request %s %s %s", request_id, request.url.path, response.status_code)
        return response

    return answer


def _refuse_pages(request: Request) -> None:
    # Without TLS a page could have made its own name mean this machine.
    named = request.url.scheme == "https" or (request.url.hostname or "") in _HOSTS
    if "origin" in request.headers or not named:
        raise HTTPException(403, "expected a request from this machine, got one of a web page")


def _failure(error: DlaeError) -> Response:
    status = 413 if isinstance(error, TensorTooLarge) else STATUSES.get(code_of(error).name, 500)
    response = _error(status, str(error), error.reason)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, QueueFull):
        response.headers["retry-after"] = str(math.ceil(error.retry_seconds))
    return response


def _error(status: int, message: str, reason: str = "") -> Response:
    told = {"error": message, **({"reason": reason} if reason else {})}
    return JSONResponse(told, status_code=status)


async def _refused(request: Request, error: Exception) -> Response:
    """Answers for paths and methods that there are not."""
    if not isinstance(error, HTTPException):
        raise error
    found = f"{request.method} {request.url.path[:200]}"
    return _error(error.status_code, f"expected a path of the protocol, got {found}")
