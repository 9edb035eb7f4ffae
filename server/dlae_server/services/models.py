"""`ModelService`: lists models, hands them out, and moves their aliases."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import grpc

from dlae.v1 import models_pb2 as pb
from dlae.v1.config_pb2 import Config
from dlae.v1.models_pb2_grpc import ModelServiceServicer
from dlae_core.bundle import CONFIG_FILE, Bundle
from dlae_core.config import read_config, resolve_config
from dlae_core.config.adoption import adoptable
from dlae_core.model_card import Identity, card, card_text, monai_metadata
from dlae_server.access.guard import present_project
from dlae_server.access.projects import key_of
from dlae_server.errors import InvalidRequest, InvalidStream, ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.models.catalogue import target_of
from dlae_server.models.files import chunks, models_folder, remove_bundle, small_file
from dlae_server.models.importing import Importer
from dlae_server.models.objects import tidy
from dlae_server.models.registry import Version, checked_alias, checked_name, parse_reference
from dlae_server.models.signature import signed
from dlae_server.services.pages import page_size
from dlae_server.serving.host import Host
from dlae_server.settings import Settings

Context: TypeAlias = grpc.aio.ServicerContext


class ModelService(ModelServiceServicer):  # type: ignore[misc]
    """Converts between the contract and the registry."""

    def __init__(self, settings: Settings, journal: Journal, host: Host) -> None:
        self._settings = settings
        self._journal = journal
        self._host = host
        self._importer = Importer(settings, journal)
        # It ends with the loop.
        self._tidying = asyncio.create_task(tidy(settings.data_dir, journal))

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """Returns a page of models."""
        call, store = self._journal.call, self._journal.store
        name = _key(request.name) if request.name else ""
        page = (page_size(request.page_size), request.page_token, name, present_project())
        models, token = await call(store.models, *page)
        return pb.ListModelsResponse(models=models, next_page_token=token)

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        """Returns a model with its configuration."""
        model = await self.model(request.model)
        model.config.CopyFrom(await asyncio.to_thread(_config, self.folder(model), model))
        return pb.GetModelResponse(model=model)

    async def FetchModel(
        self, request: pb.FetchModelRequest, context: Context
    ) -> AsyncIterator[pb.FetchModelResponse]:
        """Streams the files of a model."""
        model = await self.model(request.model)
        files = [file for file in model.files if request.file in ("", file.name)]
        if not files:
            raise ModelNotFound(f"{request.model}' with a file '{request.file[:80]}")
        for file in files:
            offset = _offset(request, file)
            async for data in chunks(self.folder(model) / file.name, file, offset):
                yield pb.FetchModelResponse(file=file.name, offset=offset, data=data)
                offset += len(data)

    async def SetAlias(self, request: pb.SetAliasRequest, context: Context) -> pb.SetAliasResponse:
        """Has an alias mean a version."""
        place = (*_place(request.model), checked_alias(request.alias))
        by = signed(request.who, request.why)
        model = await self._journal.call(self._journal.store.set_alias, *place, by)
        return pb.SetAliasResponse(model=model)

    async def RollBackAlias(
        self, request: pb.RollBackAliasRequest, context: Context
    ) -> pb.RollBackAliasResponse:
        """Has an alias mean what it meant before."""
        place = _key(request.name), checked_alias(request.alias)
        by = signed(request.who, request.why)
        model = await self._journal.call(self._journal.store.roll_back_alias, *place, by)
        return pb.RollBackAliasResponse(model=model)

    async def RemoveAlias(
        self, request: pb.RemoveAliasRequest, context: Context
    ) -> pb.RemoveAliasResponse:
        """Removes an alias."""
        place = _key(request.name), checked_alias(request.alias)
        by = signed(request.who, request.why)
        model = await self._journal.call(self._journal.store.remove_alias, *place, by)
        return pb.RemoveAliasResponse(model=model)

    async def ListModelChanges(
        self, request: pb.ListModelChangesRequest, context: Context
    ) -> pb.ListModelChangesResponse:
        """Returns a page of what happened to a name."""
        call, store = self._journal.call, self._journal.store
        name, size = _key(request.name), page_size(request.page_size)
        changes, token = await call(store.changes, name, size, request.page_token)
        return pb.ListModelChangesResponse(changes=changes, next_page_token=token)

    async def DeleteModel(
        self, request: pb.DeleteModelRequest, context: Context
    ) -> pb.DeleteModelResponse:
        """Deletes a version with its files."""
        place = (*_place(request.model), request.force)
        by = signed(request.who, request.why)
        model = await self._journal.call(self._journal.store.delete_model, *place, by)
        await self._host.unload(target_of(model, self.folder(model)))
        await asyncio.to_thread(remove_bundle, self._settings.data_dir, model)
        return pb.DeleteModelResponse(model=model)

    async def GetModelCard(
        self, request: pb.GetModelCardRequest, context: Context
    ) -> pb.GetModelCardResponse:
        """Describes a model."""
        model = await self.model(request.model)
        return await asyncio.to_thread(_card, self.folder(model), model)

    async def StartImport(
        self, request: pb.StartImportRequest, context: Context
    ) -> pb.StartImportResponse:
        """Tells how much of a file is there."""
        return pb.StartImportResponse(offset=self._importer.begun(request, present_project()))

    async def ImportModel(
        self, requests: AsyncIterator[pb.ImportModelRequest], context: Context
    ) -> pb.ImportModelResponse:
        """Stores a network that something else trained."""
        header = await _header(requests)
        await asyncio.to_thread(adoptable, header.config_json)
        model, report = await self._importer.store(header, _pieces(requests), present_project())
        return pb.ImportModelResponse(model=model, report=report)

    async def model(self, reference: str) -> pb.Model:
        """Returns the model that a reference means.

        Raises:
            InvalidRequest: It is no reference.
            ModelNotFound: There is no such model, version or alias.
        """
        return await self._journal.call(self._journal.store.model, *_place(reference))

    def folder(self, model: pb.Model) -> Path:
        """Returns the folder of a model's bundle."""
        return models_folder(self._settings.data_dir) / model.bundle


def _key(name: str) -> str:
    """Returns how a name of the call's project is written in the store."""
    return key_of(present_project(), checked_name(name))


def _place(reference: str) -> tuple[str, Version]:
    """Returns the same of a reference, and its version."""
    name, version = parse_reference(reference)
    return key_of(present_project(), name), version


async def _header(requests: AsyncIterator[pb.ImportModelRequest]) -> pb.ImportModelHeader:
    """Returns what an import begins with.

    Raises:
        InvalidRequest: Something else came first.
    """
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise InvalidRequest("expected the header of an import first, got none")


async def _pieces(requests: AsyncIterator[pb.ImportModelRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "data":
            raise InvalidStream("expected the bytes of the file after the header, got another")
        yield request.data


def _offset(request: pb.FetchModelRequest, file: pb.ModelFile) -> int:
    """Returns where in a file to begin.

    Raises:
        InvalidRequest: The file has no such position, or no file is named.
    """
    if request.offset and not request.file:
        raise InvalidRequest("expected the name of one file beside an offset, got none")
    if not 0 <= request.offset <= file.size_bytes:
        raise InvalidRequest(
            f"expected an offset from 0 to {file.size_bytes} in '{file.name}', got {request.offset}"
        )
    return int(request.offset)


def _config(folder: Path, model: pb.Model) -> Config:
    return resolve_config(read_config(small_file(folder, model, CONFIG_FILE)).config)


def _card(folder: Path, model: pb.Model) -> pb.GetModelCardResponse:
    identity = Identity(
        model.name, model.version, tuple(model.aliases), model.parent, imported=not model.job_id
    )
    facts = card(Bundle.open(folder), identity)
    return pb.GetModelCardResponse(
        markdown=card_text(facts),
        json=json.dumps(facts),
        monai_metadata=json.dumps(monai_metadata(facts)),
    )
