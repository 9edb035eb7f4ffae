"""What runs the application."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from dlae_server.access.guard import Guard
from dlae_server.rest.application import application
from dlae_server.services.open_inference import OpenInferenceService
from dlae_server.settings import Settings

CONNECTIONS = 1000
STOP_SECONDS = 3


class Server(uvicorn.Server):
    """Leaves signals to the whole process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing."""
        yield


def server(
    settings: Settings,
    service: OpenInferenceService,
    guard: Guard,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Returns a server that waits for a socket; without TLS where there is no context of it."""
    config = uvicorn.Config(
        application(service, settings, guard),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    # Loaded here, as its own way to TLS would keep a certificate for ever.
    config.load()
    config.ssl = tls
    return Server(config)
