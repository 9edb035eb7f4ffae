"""`ModelService`: lists models and hands them out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import grpc

from dlae.v1 import models_pb2 as pb
from dlae.v1.models_pb2_grpc import ModelServiceServicer
from dlae_core.bundle import CONFIG_FILE, Bundle
from dlae_core.config import read_config, resolve_config
from dlae_core.errors import CorruptArtifact
from dlae_server.errors import ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import parse_reference
from dlae_server.services.pages import page_size
from dlae_server.settings import Settings

CHUNK_BYTES = 1 << 20

Context: TypeAlias = grpc.aio.ServicerContext


class ModelService(ModelServiceServicer):  # type: ignore[misc]
    """Converts between the contract and the registry."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """Returns a page of models."""
        journal, size = self._journal, page_size(request.page_size)
        models, token = await journal.call(journal.store.models, size, request.page_token)
        return pb.ListModelsResponse(models=models, next_page_token=token)

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        """Returns a model with its configuration."""
        model = await self.model(request.model)
        bundle = await asyncio.to_thread(Bundle.open, self.folder(model))
        model.config.CopyFrom(resolve_config(read_config(bundle.read(CONFIG_FILE)).config))
        return pb.GetModelResponse(model=model)

    async def FetchModel(
        self, request: pb.FetchModelRequest, context: Context
    ) -> AsyncIterator[pb.FetchModelResponse]:
        """Streams the files of a model."""
        model = await self.model(request.model)
        names = [file.name for file in model.files if request.file in ("", file.name)]
        if not names:
            raise ModelNotFound(f"{request.model}' with a file '{request.file[:80]}")
        await asyncio.to_thread(Bundle.open, self.folder(model))
        for name in names:
            async for chunk in _chunks(self.folder(model) / name):
                yield chunk

    async def model(self, reference: str) -> pb.Model:
        """Returns the model that a reference means.

        Raises:
            InvalidRequest: It is no reference.
            ModelNotFound: There is no such model or version.
        """
        name, version = parse_reference(reference)
        return await self._journal.call(self._journal.store.model, name, version)

    def folder(self, model: pb.Model) -> Path:
        """Returns the folder of a model's bundle."""
        return self._settings.data_dir / "models" / model.job_id


async def _chunks(path: Path) -> AsyncIterator[pb.FetchModelResponse]:
    try:
        with path.open("rb") as file:
            offset = 0
            while (data := await asyncio.to_thread(file.read, CHUNK_BYTES)) or offset == 0:
                yield pb.FetchModelResponse(file=path.name, offset=offset, data=data)
                if not data:
                    return
                offset += len(data)
    except OSError as error:
        raise CorruptArtifact.of_file(path, "cannot be read") from error
