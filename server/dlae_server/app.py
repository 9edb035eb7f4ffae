"""The composition root: the only file that knows everything."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from dlae.v1 import datasets_pb2, models_pb2, prediction_pb2, training_pb2
from dlae.v1.datasets_pb2_grpc import add_DatasetServiceServicer_to_server
from dlae.v1.models_pb2_grpc import add_ModelServiceServicer_to_server
from dlae.v1.prediction_pb2_grpc import add_PredictionServiceServicer_to_server
from dlae.v1.training_pb2_grpc import add_TrainingServiceServicer_to_server
from dlae_core.bundle import write_text
from dlae_server import oip
from dlae_server.access.certificates import Certificate, Certificates
from dlae_server.access.entrance import entrance_of
from dlae_server.access.guard import Guard
from dlae_server.addresses import metrics_host
from dlae_server.allocation import keep_freed_blocks
from dlae_server.audit.opening import recording
from dlae_server.audit.recording import Audit
from dlae_server.confinement.rights import log_confinement
from dlae_server.datasets.receiving import Receiver
from dlae_server.errors import CannotStart
from dlae_server.executors.options import executor_of
from dlae_server.interceptors import Interceptor
from dlae_server.jobs import process
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.supervisor import Supervisor
from dlae_server.locking import locked
from dlae_server.metrics import Metrics
from dlae_server.models.catalogue import Catalogue
from dlae_server.models.files import sweep
from dlae_server.rest.door import Door
from dlae_server.services.datasets import DatasetService
from dlae_server.services.models import ModelService
from dlae_server.services.open_inference import OpenInferenceService
from dlae_server.services.predicting import Predictions
from dlae_server.services.prediction import PredictionService
from dlae_server.services.training import TrainingService
from dlae_server.serving import host as serving
from dlae_server.serving.host import Host
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
STOP_SECONDS = 3.0

SERVICES = tuple(
    file.services_by_name[name].full_name
    for file, name in (
        (training_pb2.DESCRIPTOR, "TrainingService"),
        (prediction_pb2.DESCRIPTOR, "PredictionService"),
        (models_pb2.DESCRIPTOR, "ModelService"),
        (datasets_pb2.DESCRIPTOR, "DatasetService"),
    )
)


@dataclass(frozen=True)
class Commands:
    """Programs of the worker processes; tests put fakes here."""

    task: tuple[str, ...] = process.WORKER
    model: tuple[str, ...] = serving.WORKER


async def serve(settings: Settings, stop: asyncio.Event, commands: Commands | None = None) -> None:
    """Runs the service until `stop` is set.

    Raises:
        CannotStart: An address, folder or port cannot be used.
    """
    commands = commands or Commands()
    guard, certificates = entrance_of(settings)
    with locked(settings.data_dir), recording(settings) as audit:
        metrics = Metrics()
        journal = Journal(settings, metrics, audit)
        reserve = Reserve(settings, commands.task)
        supervisor = Supervisor(settings, metrics, journal, executor_of(settings, reserve))
        host = Host(settings, metrics, commands.model)
        predictions = Predictions(Catalogue(settings, journal), host, metrics, settings.pinned)
        server = _server(settings, metrics, guard, audit)
        services, receiver = _Services(server), Receiver(settings, journal)
        training = TrainingService(settings, journal, supervisor, reserve)
        add_TrainingServiceServicer_to_server(training, services)
        add_PredictionServiceServicer_to_server(PredictionService(settings, predictions), services)
        add_ModelServiceServicer_to_server(ModelService(settings, journal, host), services)
        add_DatasetServiceServicer_to_server(DatasetService(settings, journal, receiver), services)
        door = Door(settings, OpenInferenceService(predictions, journal).added_to(server), guard)
        checks = await _add_health(server)
        address = _bound(server, settings.listen, certificates)
        with _exposed(settings, metrics) as metrics_port:
            await sweep(settings.data_dir, journal)
            await receiver.start()
            work = await supervisor.start()
            await server.start()
            predictions.pins.start()
            await door.open()
            card = _announced(settings, address, metrics_port, door.address)
            await _first(asyncio.create_task(stop.wait()), work)
            LOG.info("stopping")
            card.unlink(missing_ok=True)
            await checks.enter_graceful_shutdown()
            await journal.stop()
            supervisor.kill()
            await _first(work)
            for end in (door.close(), server.stop(STOP_SECONDS), reserve.close()):
                await end
            await predictions.close()
            await journal.close()
        # Nobody but this task takes jobs further: where it failed, the server has failed.
        await work


def _announced(
    settings: Settings, address: str, metrics_port: int | None, rest: str | None
) -> Path:
    """Writes to a file where the server is found, and to the log; returns the file."""
    card = settings.data_dir / "server.json"
    facts = {"listen": address, "metrics_port": metrics_port, "rest": rest, "pid": os.getpid()}
    write_text(card, json.dumps(facts) + "\n")
    log_confinement()
    LOG.info("listening on %s, metrics on port %s, REST on %s", address, metrics_port, rest)
    return card


async def _first(*tasks: "asyncio.Task[Any]") -> None:
    """Waits for the first task to end, in whatever way."""
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


def _server(settings: Settings, metrics: Metrics, guard: Guard, audit: Audit) -> grpc.aio.Server:
    keep_freed_blocks()
    return grpc.aio.server(
        interceptors=[Interceptor(metrics, guard, audit)],
        options=[
            ("grpc.max_receive_message_length", settings.message_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_concurrent_streams", 10_000),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ],
    )


class _Services:
    """Adds services to a server as handlers of any method.

    Registered method by method, as generated code would have it, each call would wait until the
    server has begun to wait for calls of every method again.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Does nothing: they are among those of any method."""


async def _add_health(server: grpc.aio.Server) -> HealthServicer:
    """Adds health checks and reflection."""
    checks = HealthServicer()
    for name in ("", *SERVICES, oip.SERVICE):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return checks


def _bound(server: grpc.aio.Server, listen: str, certificates: Certificates | None) -> str:
    try:
        if certificates is None:
            port = server.add_insecure_port(listen)
        else:
            port = server.add_secure_port(listen, _credentials(certificates))
    except RuntimeError as error:
        message = f"cannot listen on {listen}: the port is in use or not allowed"
        raise CannotStart(message) from error
    return f"{listen.rpartition(':')[0]}:{port}"


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Returns credentials that take new certificates with the next connection."""

    def configuration(found: Certificate) -> Any:
        pairs = [(found.key, found.chain)]
        return grpc.ssl_server_certificate_configuration(pairs, found.client_ca)

    def changed() -> Any:
        found = certificates.changed()
        return None if found is None else configuration(found)

    first = certificates.first
    proved = first.client_ca is not None
    return grpc.dynamic_ssl_server_credentials(configuration(first), changed, proved)


@contextmanager
def _exposed(settings: Settings, metrics: Metrics) -> Iterator[int | None]:
    """Serves the metrics; yields their port, None where they are switched off."""
    if settings.metrics_port is None:
        yield None
        return
    host = metrics_host(settings.listen, settings.metrics_host)
    try:
        server, thread = start_http_server(settings.metrics_port, host, metrics.registry)
    except OSError as error:
        raise CannotStart(
            f"cannot serve metrics on port {settings.metrics_port}: {error.strerror}; choose "
            "another with --metrics-port or switch them off with --no-metrics"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
