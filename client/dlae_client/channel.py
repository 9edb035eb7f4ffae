"""The connection: channel options, deadlines, errors."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from dlae_client.errors import error_from_rpc

# Safe to repeat: they change nothing.
_REPEATABLE = {
    "dlae.v1.TrainingService": ("Status", "ListJobs"),
    "dlae.v1.ModelService": ("ListModels", "GetModel"),
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


class Connection:
    """A channel to one server.

    Attributes:
        server: `host:port`.
        channel: For the stubs.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.channel = grpc.insecure_channel(server, options=OPTIONS)
        self._stubs: dict[Callable[[grpc.Channel], Any], Any] = {}

    def stub(self, kind: Callable[[grpc.Channel], Any]) -> Any:
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

    def call(self, method: Callable[..., Any], request: Any, seconds: float) -> Any:
        """Calls a unary method.

        Raises:
            ClientError: The call failed.
        """
        with self.errors():
            return method(request, timeout=seconds)

    def close(self) -> None:
        """Closes the channel."""
        self.channel.close()
