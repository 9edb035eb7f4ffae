"""`inference.GRPCInferenceService`: the Open Inference Protocol on the path of `Predict`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

import grpc

import dlae
from dlae.v1 import models_pb2
from dlae_server import oip
from dlae_server.errors import ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.oip import Message
from dlae_server.services.pages import LARGEST_SIZE
from dlae_server.services.predicting import Predictions
from dlae_server.serving.host import Target

Context: TypeAlias = grpc.aio.ServicerContext
Method: TypeAlias = Callable[[Message, Context], Awaitable[Message]]


class OpenInferenceService:
    """Converts between the protocol and the host."""

    def __init__(self, predictions: Predictions, journal: Journal) -> None:
        self._predictions = predictions
        self._journal = journal
        self._types = oip.methods()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name),
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
            for name, (request, response) in self._types.items()
        }
        handler = grpc.method_handlers_generic_handler(oip.SERVICE, methods)
        server.add_generic_rpc_handlers((handler,))

    async def ServerLive(self, request: Message, context: Context) -> Message:
        """Answers that the server runs."""
        return self._answer("ServerLive", live=True)

    async def ServerReady(self, request: Message, context: Context) -> Message:
        """Answers that the server takes predictions."""
        return self._answer("ServerReady", ready=True)

    async def ServerMetadata(self, request: Message, context: Context) -> Message:
        """Returns what the server is."""
        return self._answer(
            "ServerMetadata", name="dlae", version=dlae.__version__, extensions=oip.EXTENSIONS
        )

    async def ModelReady(self, request: Message, context: Context) -> Message:
        """Returns whether a model exists; it is loaded when it is asked."""
        try:
            await self._predictions.catalogue.find(oip.reference(request.name, request.version))
        except ModelNotFound:
            return self._answer("ModelReady", ready=False)
        return self._answer("ModelReady", ready=True)

    async def ModelMetadata(self, request: Message, context: Context) -> Message:
        """Returns what a model takes and gives."""
        reference = oip.reference(request.name, request.version)
        return oip.metadata((await self._predictions.catalogue.find(reference)).model)

    async def ModelInfer(self, request: Message, context: Context) -> Message:
        """Predicts."""
        reference = oip.reference(request.model_name, request.model_version)
        names = oip.requested(request, (await self._predictions.catalogue.find(reference)).model)
        question, data = oip.question(request)
        answer = self._answer("ModelInfer", id=request.id)
        for name in names:
            asked = replace(question, kind=oip.KINDS[name])
            entry, output = await self._predictions.predict(reference, asked, (data,))
            # All outputs come from one version, even where a newer one appears between them.
            reference = entry.reference
            answer.model_name, answer.model_version = entry.model.name, str(entry.model.version)
            oip.add_output(answer, name, output.dtype, output.shape, output.data)
        return answer

    async def ModelStatistics(self, request: Message, context: Context) -> Message:
        """Returns what a model, or every model, has done."""
        answer = self._answer("ModelStatistics")
        host, catalogue = self._predictions.host, self._predictions.catalogue
        if request.name:
            found = await catalogue.find(oip.reference(request.name, request.version))
            models = [found.model]
        else:
            models = [model async for model in self._models()]
        for model in models:
            oip.add_statistics(answer, model, host.statistics(self._target(model)))
        return answer

    async def RepositoryIndex(self, request: Message, context: Context) -> Message:
        """Returns all models."""
        answer = self._answer("RepositoryIndex")
        async for model in self._models():
            loaded = self._predictions.host.is_loaded(self._target(model))
            if loaded or not request.ready:
                state = "READY" if loaded else ""
                answer.models.add(name=model.name, version=str(model.version), state=state)
        return answer

    async def _models(self) -> AsyncIterator[models_pb2.Model]:
        token = ""
        while True:
            store = self._journal.store
            models, token = await self._journal.call(store.models, LARGEST_SIZE, token)
            for model in models:
                yield model
            if not token:
                return

    def _target(self, model: models_pb2.Model) -> Target:
        return Target(model.name, model.version, self._predictions.catalogue.folder(model))

    def _answer(self, method: str, **fields: Any) -> Message:
        return self._types[method][1](**fields)
