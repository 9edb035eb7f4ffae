"""What runs the application."""

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


def server(settings: Settings, service: OpenInferenceService, guard: Guard) -> Server:
    """Returns a server that waits for a socket."""
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
    return Server(config)
