"""The models as the Open Inference Protocol lists, loads and unloads them."""

from collections.abc import AsyncIterator

import grpc

from dlae.v1 import models_pb2
from dlae_server import oip
from dlae_server.access.guard import present_project
from dlae_server.access.projects import key_of
from dlae_server.errors import InvalidRequest
from dlae_server.jobs.journal import Journal
from dlae_server.models.catalogue import target_of
from dlae_server.models.registry import parse_reference
from dlae_server.oip import Message
from dlae_server.services.pages import LARGEST_SIZE
from dlae_server.services.predicting import Predictions
from dlae_server.serving.host import Target


class Repository:
    """Methods of the protocol about models that are stored and loaded."""

    def __init__(self, predictions: Predictions, journal: Journal) -> None:
        self._find, self._host = predictions.find, predictions.host
        self._folder = predictions.catalogue.folder
        self._journal = journal

    async def RepositoryIndex(self, request: Message, context: grpc.aio.ServicerContext) -> Message:
        """Returns all models."""
        answer = oip.message("RepositoryIndexResponse")()
        async for model in self._models():
            loaded = self._host.is_loaded(self._target(model))
            if loaded or not request.ready:
                state = "READY" if loaded else ""
                answer.models.add(name=model.name, version=str(model.version), state=state)
        return answer

    async def RepositoryModelLoad(
        self, request: Message, context: grpc.aio.ServicerContext
    ) -> Message:
        """Loads a model before its first prediction."""
        if request.parameters:
            names = ", ".join(sorted(request.parameters))[:80]
            raise InvalidRequest(
                f"expected no parameters, got {names}: a model's configuration is part of it"
            )
        entry = await self._find(request.model_name)
        await self._host.load(entry.target)
        return oip.message("RepositoryModelLoadResponse")()

    async def RepositoryModelUnload(
        self, request: Message, context: grpc.aio.ServicerContext
    ) -> Message:
        """Ends the process of a model, or of all its versions, once it is idle."""
        entry = await self._find(request.model_name)
        name, version = parse_reference(request.model_name)
        key = key_of(present_project(), name)
        targets = self._host.loaded(key) if version is None else [entry.target]
        for target in targets:
            await self._host.unload(target)
        return oip.message("RepositoryModelUnloadResponse")()

    async def ModelConfig(self, request: Message, context: grpc.aio.ServicerContext) -> Message:
        """Returns what a model takes and gives, in the words of Triton's configurations."""
        entry = await self._find(oip.reference(request.name, request.version))
        return oip.message("ModelConfigResponse")(config=oip.configuration(entry.model))

    async def ModelStatistics(self, request: Message, context: grpc.aio.ServicerContext) -> Message:
        """Returns what a model, or every model, has done."""
        answer = oip.message("ModelStatisticsResponse")()
        if request.name:
            found = await self._find(oip.reference(request.name, request.version))
            models = [found.model]
        else:
            models = [model async for model in self._models()]
        for model in models:
            oip.add_statistics(answer, model, self._host.statistics(self._target(model)))
        return answer

    async def _models(self) -> AsyncIterator[models_pb2.Model]:
        token = ""
        while True:
            page = (LARGEST_SIZE, token, "", present_project())
            models, token = await self._journal.call(self._journal.store.models, *page)
            for model in models:
                yield model
            if not token:
                return

    def _target(self, model: models_pb2.Model) -> Target:
        return target_of(model, self._folder(model))
