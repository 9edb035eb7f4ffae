"""The connection: channel options, deadlines, errors."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc

from dlae_client.credentials import Credentials, is_loopback
from dlae_client.errors import ServerUnreachable, error_from_rpc
from dlae_client.targets import Target

# Safe to repeat: they change nothing, or have a request id.
_REPEATABLE = {
    "dlae.v1.TrainingService": ("Status", "ListJobs", "Train", "Run"),
    "dlae.v1.ModelService": ("ListModels", "GetModel", "ListModelChanges", "GetModelCard"),
    "dlae.v1.DatasetService": ("FindFiles", "StartUpload", "GetDataset", "ListDatasets"),
}
_RETRY = {
    "maxAttempts": 3,
    "initialBackoff": "0.2s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
OPTIONS = (
    ("grpc.keepalive_time_ms", 60_000),
    # By itself gRPC waits up to two minutes between attempts: longer than `watch` tries at all.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    (
        "grpc.service_config",
        json.dumps(
            {
                "methodConfig": [
                    {
                        "name": [
                            {"service": service, "method": method}
                            for service, methods in _REPEATABLE.items()
                            for method in methods
                        ],
                        "retryPolicy": _RETRY,
                    }
                ]
            }
        ),
    ),
)

CALL_SECONDS = 60.0
PROJECT_KEY = "dlae-project"
LONGEST_PAUSE_SECONDS = 5.0


class Patience:
    """How long a server that went away is waited for, in pauses that grow."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.found()

    def found(self) -> None:
        """The server answers: from now on, all patience is there again."""
        self._since: float | None = None
        self._pause = 0.2

    @property
    def is_new(self) -> bool:
        """Whether nothing has been waited for since the server answered last."""
        return self._since is None

    def wait(self) -> bool:
        """Waits for a while; returns False at once where patience has come to its end."""
        if self._since is None:
            self._since = time.monotonic()
        if time.monotonic() - self._since + self._pause > self._seconds:
            return False
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        return True


class Connection:
    """A channel to one server.

    Attributes:
        server: `host:port`.
        channel: For the stubs.
        is_protected: Whether bytes arrive as they were sent: by TLS, or within this machine.
    """

    def __init__(self, target: Target, seconds: float = CALL_SECONDS) -> None:
        """Prepares a channel.

        Args:
            target: The server, how each side proves who it is, and the project.
            seconds: How long a call may take that needs no more.

        Raises:
            InvalidRequest: A token would go to another machine without TLS.
            LocalFileError: Certificates cannot be read.
        """
        target.credentials.require_safe(target.server)
        self.server = target.server
        self.is_protected = target.credentials.secure or is_loopback(target.server)
        self._seconds = seconds
        self._opened = _opened(target.server, target.credentials)
        self.channel = Addressed(self._opened, _metadata(target))
        self._stubs: dict[Callable[[Any], Any], Any] = {}

    def stub(self, kind: Callable[[Any], Any]) -> Any:
        """Returns the stub of a service, made once: making one takes as long as a small call."""
        if kind not in self._stubs:
            self._stubs[kind] = kind(self.channel)
        return self._stubs[kind]

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns failed calls into the client's errors.

        Raises:
            ClientError: The call failed.
        """
        try:
            yield
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.server) from error

    def call(self, method: Callable[..., Any], request: Any, seconds: float | None = None) -> Any:
        """Calls a unary method, which may take `seconds`, or as long as calls of this connection.

        Raises:
            ClientError: The call failed.
        """
        with self.errors():
            return method(request, timeout=self._seconds if seconds is None else seconds)

    def chunks(
        self, begin: Callable[[int], Iterable[Any]], offset: int, seconds: float
    ) -> Iterator[Any]:
        """Yields the pieces of a file; where the server goes away, goes on when it is back.

        Args:
            begin: Streams the file from a position on.
            offset: The first position.
            seconds: How long a server that went away is waited for.

        Raises:
            ClientError: The call failed.
        """
        patience = Patience(seconds)
        while True:
            try:
                with self.errors():
                    for chunk in begin(offset):
                        patience.found()
                        offset = chunk.offset + len(chunk.data)
                        yield chunk
                return
            except ServerUnreachable:
                if not patience.wait():
                    raise

    def close(self) -> None:
        """Closes the channel."""
        self._opened.close()


class Addressed:
    """A channel for stubs whose calls carry a token and the name of a project.

    An interceptor of gRPC's would do the same, and its own credentials as well: they cost each
    call a thread's turn.
    """

    def __init__(self, channel: grpc.Channel, metadata: Sequence[tuple[str, str]]) -> None:
        self._channel = channel
        self._metadata = metadata

    def __getattr__(self, kind: str) -> Callable[..., Any]:
        """Returns how to make calls of a kind: `unary_unary` and so on."""
        make = getattr(self._channel, kind)
        if not self._metadata:
            return make  # type: ignore[no-any-return]
        return lambda *names, **facts: partial(make(*names, **facts), metadata=self._metadata)


def _metadata(target: Target) -> tuple[tuple[str, str], ...]:
    """Returns what every call carries."""
    token, project = target.credentials.token, target.project
    values = {"authorization": f"Bearer {token}" if token else "", PROJECT_KEY: project}
    return tuple((key, value) for key, value in values.items() if value)


def _opened(server: str, credentials: Credentials) -> grpc.Channel:
    # Otherwise a proxy that the environment names gets what is meant for this machine alone.
    options = (*OPTIONS, ("grpc.enable_http_proxy", int(not is_loopback(server))))
    if not credentials.secure:
        return grpc.insecure_channel(server, options=options)
    files = (credentials.pem(name) for name in ("tls_ca", "tls_key", "tls_certificate"))
    return grpc.secure_channel(server, grpc.ssl_channel_credentials(*files), options=options)
