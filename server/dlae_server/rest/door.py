"""Where the application is served, in the loop of the gRPC server; nowhere by default."""

import asyncio
import socket
from importlib import import_module
from typing import TYPE_CHECKING

from dlae_server.access.certificates import Certificates, certificates_of
from dlae_server.access.guard import Guard
from dlae_server.addresses import is_loopback
from dlae_server.errors import CannotStart
from dlae_server.services.open_inference import OpenInferenceService
from dlae_server.settings import Settings

if TYPE_CHECKING:
    import uvicorn

_START_SECONDS = 0.01


class Door:
    """A port for HTTP.

    Attributes:
        address: Its `host:port`; None where there is none.
    """

    def __init__(self, settings: Settings, service: OpenInferenceService, guard: Guard) -> None:
        """Takes the port, which answers once it is opened.

        Args:
            settings: `rest_address`, and the limits.
            service: What answers.
            guard: Who may ask.

        Raises:
            CannotStart: The extra is not installed, or the address cannot be used.
        """
        self.address: str | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        if settings.rest_address is None:
            return
        is_loopback(settings.rest_address, "--rest-address")
        # Its own: whoever looks at the files first is told that they have changed.
        certificates = certificates_of(settings)
        self._server = _server(settings, service, guard, certificates)
        self._listener = _bound(settings.rest_address)
        host = settings.rest_address.rpartition(":")[0]
        self.address = f"{host}:{self._listener.getsockname()[1]}"

    async def open(self) -> None:
        """Answers from now on."""
        if self._server is None:
            return
        self._serving = asyncio.create_task(self._server.serve([self._listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(_START_SECONDS)

    async def close(self) -> None:
        """Answers what was asked and ends."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        self._listener.close()


def _server(
    settings: Settings,
    service: OpenInferenceService,
    guard: Guard,
    certificates: Certificates | None,
) -> "uvicorn.Server":
    try:
        running = import_module("dlae_server.rest.running")
    except ImportError as error:
        raise CannotStart(
            f"expected the extra 'rest' for --rest-address, {error.name} is missing; install it "
            "with `pip install 'dlae[rest]'`"
        ) from error
    server: uvicorn.Server = running.server(
        settings, service, guard, certificates.context() if certificates else None
    )
    return server


def _bound(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
    except OSError as error:
        listener.close()
        message = f"cannot listen on {address} for REST: {error.strerror or error}"
        raise CannotStart(message) from error
    return listener
