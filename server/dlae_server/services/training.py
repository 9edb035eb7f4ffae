"""`TrainingService`: checks configurations and submits jobs; `jobs.py` has what comes after."""

import asyncio
from collections.abc import Iterable
from typing import Any, TypeAlias

import grpc

from dlae.v1 import training_pb2 as pb
from dlae.v1.config_pb2 import Config
from dlae_core.config import (
    Loaded,
    load_config,
    read_config,
    resolve_config,
    write_config,
)
from dlae_core.config.references import INFERENCE
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.access.guard import CALLER, present_project
from dlae_server.audit.recording import noted, sha256_of_text
from dlae_server.datasets.references import data_in_place
from dlae_server.datasets.roots import path_violations
from dlae_server.errors import InvalidRequest, QueueFull
from dlae_server.jobs.checkpoints import put_in_place
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.options import checked_options, digest_of
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.served import model_in_place
from dlae_server.jobs.supervisor import Supervisor
from dlae_server.models.registry import checked_name
from dlae_server.services.jobs import JobCalls
from dlae_server.settings import Settings

Context: TypeAlias = grpc.aio.ServicerContext


class TrainingService(JobCalls):
    """Converts between the contract and the supervisor."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        supervisor: Supervisor,
        reserve: Reserve,
    ) -> None:
        super().__init__(settings, journal, supervisor)
        self._reserve = reserve
        self._validating = 0

    async def Validate(self, request: pb.ValidateRequest, context: Context) -> pb.ValidateResponse:
        """Checks a configuration, its graph and its data."""
        try:
            loaded, _ = await self._checked(request.config)
        except InvalidConfig as error:
            return pb.ValidateResponse(violations=_violations(error.violations))
        if self._validating >= self._settings.validations:
            raise QueueFull("validations", self._settings.validations)
        self._validating += 1
        try:
            report = await self._report(write_config(loaded.config))
        finally:
            self._validating -= 1
        return pb.ValidateResponse(
            valid=not report["violations"],
            violations=[pb.Violation(**row) for row in report["violations"]],
            warnings=[
                *_violations(loaded.warnings),
                *(pb.Violation(**row) for row in report["warnings"]),
            ],
            graphs=[_graph(graph) for graph in report["graphs"]],
            memory_bytes=report["memory_bytes"],
            seconds_per_step=report["seconds_per_step"],
        )

    async def Train(self, request: pb.TrainRequest, context: Context) -> pb.TrainResponse:
        """Records a job that makes a model."""
        if made := await self._made(request):
            return pb.TrainResponse(job=made)
        loaded, _ = await self._checked(request.config)
        if _is_inference(loaded):
            message = "expected a session that trains, got Inference; Run runs those as well"
            raise InvalidConfig([Violation("config_file.type_signal", "NO_TRAINING", message)])
        job = await self._submitted(request, pb.Job(kind=pb.Job.KIND_TRAINING), loaded)
        return pb.TrainResponse(job=job, warnings=_violations(loaded.warnings))

    async def Run(self, request: pb.RunRequest, context: Context) -> pb.RunResponse:
        """Records a job of any kind."""
        if made := await self._made(request):
            return pb.RunResponse(job=made)
        loaded, model = await self._checked(request.config)
        kind = pb.Job.KIND_INFERENCE if _is_inference(loaded) else pb.Job.KIND_TRAINING
        job = await self._submitted(request, pb.Job(kind=kind, model=model), loaded)
        return pb.RunResponse(job=job, warnings=_violations(loaded.warnings))

    async def _made(self, request: pb.TrainRequest | pb.RunRequest) -> pb.Job | None:
        """Returns the job that a repeated request has made; None where it is a new one.

        Raises:
            InvalidRequest: Name or options are not allowed.
            RequestIdInUse: Something else was asked for under the same request id.
        """
        checked_name(request.name)
        # Who has proved who they are submits as nobody else.
        if name := CALLER.get().name:
            request.options.user = name
        options = checked_options(request.options)
        if not options.request_id:
            return None
        call, store = self._journal.call, self._journal.store
        made = (options.request_id, digest_of(request), present_project())
        return await call(store.requested, *made)

    async def _submitted(
        self, request: pb.TrainRequest | pb.RunRequest, job: pb.Job, loaded: Loaded
    ) -> pb.Job:
        if loaded.unsupported:
            raise InvalidConfig(loaded.unsupported)
        job.name, job.project = request.name, present_project()
        job.options.CopyFrom(request.options)
        config = write_config(loaded.config)
        noted(config_sha256=sha256_of_text(config))
        return await self._supervisor.submit(job, config, digest_of(request))

    async def _checked(self, source: pb.ConfigSource) -> tuple[Loaded, str]:
        """Returns a checked configuration, files in the place of references.

        Returns:
            The configuration, and the model of this server that it predicts with.

        Raises:
            InvalidConfig: All mistakes of text, rules, paths and references at once.
            InvalidRequest: There is no configuration.
        """
        loaded, config, violations = await asyncio.to_thread(self._read, source)
        place = (config, self._journal, self._settings.data_dir, present_project())
        violations += await data_in_place(*place)
        model = ""
        try:
            await put_in_place(*place)
            model = await model_in_place(*place)
        except InvalidConfig as error:
            violations += error.violations
        if loaded is None:
            raise InvalidConfig(violations)
        if violations:
            raise InvalidConfig([*loaded.unsupported, *violations])
        return loaded, model

    def _read(self, source: pb.ConfigSource) -> tuple[Loaded | None, Config, list[Violation]]:
        """Returns a configuration, as far as it can be read, and what is wrong with it."""
        kind = source.WhichOneof("source")
        if kind is None:
            raise InvalidRequest("expected a configuration, got none")
        given = source.json if kind == "json" else source.config
        violations: list[Violation] = []
        loaded = None
        try:
            loaded = load_config(given)
            config = loaded.config
        except InvalidConfig as error:
            violations += error.violations
            partial = read_config(given).config if isinstance(given, str) else given
            config = resolve_config(partial)
        violations += path_violations(config, self._settings.roots_of(present_project()))
        return loaded, config, violations

    async def _report(self, config: str) -> dict[str, Any]:
        """Returns what a worker process finds in graph and data."""
        process = await self._reserve.start({"task": "validate", "config": config})
        try:
            async for message in process.messages():
                return dict(message.get("result") or _failed(message["failure"]))
            return _failed({"reason": "WORKER_DIED", "message": await process.end()})
        finally:
            process.kill()
            await self._reserve.fill()


def _is_inference(loaded: Loaded) -> bool:
    return loaded.config.config_file.type_signal == INFERENCE


def _failed(failure: dict[str, str]) -> dict[str, Any]:
    """Returns the report of a check that could not be completed."""
    message = f"the configuration could not be checked: {failure['message']}"
    violation = {"path": "", "reason": failure["reason"], "message": message}
    nothing = {"warnings": [], "graphs": [], "memory_bytes": 0, "seconds_per_step": 0.0}
    return {"violations": [violation], **nothing}


def _violations(rows: Iterable[Violation]) -> list[pb.Violation]:
    return [pb.Violation(path=row.path, reason=row.reason, message=row.message) for row in rows]


def _graph(graph: dict[str, Any]) -> pb.GraphSummary:
    layers = [pb.LayerSummary(**layer) for layer in graph["layers"]]
    return pb.GraphSummary(**{**graph, "layers": layers})
