"""`inference.GRPCInferenceService`: the Open Inference Protocol on the path of `Predict`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

import grpc

import dlae
from dlae_server import oip
from dlae_server.audit.predictions import want_proof
from dlae_server.errors import ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.oip import Message
from dlae_server.oip_parameters import (
    is_urgent,
    options_of,
    seconds_of,
    values_of,
    wants_provenance,
)
from dlae_server.services.predicting import Predictions
from dlae_server.services.repository import Repository

Context: TypeAlias = grpc.aio.ServicerContext
Method: TypeAlias = Callable[[Message, Context], Awaitable[Message]]


class OpenInferenceService:
    """Converts between the protocol and the host.

    Attributes:
        audit: Where its calls are recorded.
    """

    def __init__(self, predictions: Predictions, journal: Journal) -> None:
        self.audit = journal.audit
        self._predictions = predictions
        self._repository = Repository(predictions, journal)
        self._types = oip.methods()

    def added_to(self, server: grpc.aio.Server) -> "OpenInferenceService":
        """Adds the service to a server and returns it."""
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                self.method(name),
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
            for name, (request, response) in self._types.items()
        }
        handler = grpc.method_handlers_generic_handler(oip.SERVICE, methods)
        server.add_generic_rpc_handlers((handler,))
        return self

    def method(self, name: str) -> Method:
        """Returns a method of the protocol."""
        owner = self._repository if hasattr(self._repository, name) else self
        method: Method = getattr(owner, name)
        return method

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
            await self._predictions.find(oip.reference(request.name, request.version))
        except ModelNotFound:
            return self._answer("ModelReady", ready=False)
        return self._answer("ModelReady", ready=True)

    async def ModelMetadata(self, request: Message, context: Context) -> Message:
        """Returns what a model takes and gives."""
        reference = oip.reference(request.name, request.version)
        return oip.metadata((await self._predictions.find(reference)).model)

    async def ModelInfer(self, request: Message, context: Context) -> Message:
        """Predicts."""
        reference = oip.reference(request.model_name, request.model_version)
        names = oip.requested(request, (await self._predictions.find(reference)).model)
        question, data = oip.question(request)
        values = values_of(request.parameters)
        options = options_of(values)
        urgent, seconds = is_urgent(values), seconds_of(values)
        if wants_provenance(values):
            want_proof()
        answer = self._answer("ModelInfer", id=request.id)
        for name in names:
            asked = replace(question, options=options, kind=oip.KINDS[name])
            entry, output = await self._predictions.predict(
                reference, asked, (data,), urgent, seconds
            )
            # All outputs come from one version, even where a newer one appears between them.
            reference = entry.reference
            answer.model_name, answer.model_version = entry.model.name, str(entry.model.version)
            oip.add_output(answer, name, output)
        return answer

    def _answer(self, method: str, **fields: Any) -> Message:
        return self._types[method][1](**fields)
