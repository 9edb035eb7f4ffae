"""`DatasetService`: takes in data files, lists and deletes them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import grpc

from dlae.v1 import datasets_pb2 as pb
from dlae.v1.datasets_pb2_grpc import DatasetServiceServicer
from dlae_server.access.guard import present_project
from dlae_server.datasets.files import taken_away
from dlae_server.datasets.receiving import Receiver
from dlae_server.datasets.references import Reference, parse_dataset
from dlae_server.datasets.roots import is_readable
from dlae_server.errors import InvalidRequest, InvalidStream
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import checked_name
from dlae_server.services.pages import page_size
from dlae_server.settings import Settings

Context: TypeAlias = grpc.aio.ServicerContext

MOST_FILES = 1000


class DatasetService(DatasetServiceServicer):  # type: ignore[misc]
    """Converts between the contract and the folder of data files."""

    def __init__(self, settings: Settings, journal: Journal, receiver: Receiver) -> None:
        self._settings = settings
        self._journal = journal
        self._receiver = receiver

    async def FindFiles(
        self, request: pb.FindFilesRequest, context: Context
    ) -> pb.FindFilesResponse:
        """Tells which files can be read where they lie."""
        if len(request.files) > MOST_FILES:
            raise InvalidRequest(f"expected at most {MOST_FILES} files, got {len(request.files)}")
        return await asyncio.to_thread(self._found, request)

    async def StartUpload(
        self, request: pb.StartUploadRequest, context: Context
    ) -> pb.StartUploadResponse:
        """Tells how much of a file is there."""
        offset, dataset = await self._receiver.begun(request, present_project())
        return pb.StartUploadResponse(offset=offset, dataset=dataset, crc32_optional=True)

    async def UploadDataset(
        self, requests: AsyncIterator[pb.UploadDatasetRequest], context: Context
    ) -> pb.UploadDatasetResponse:
        """Takes in a file."""
        header = await _header(requests)
        return pb.UploadDatasetResponse(
            dataset=await self._receiver.take(header, _pieces(requests), present_project())
        )

    async def GetDataset(
        self, request: pb.GetDatasetRequest, context: Context
    ) -> pb.GetDatasetResponse:
        """Returns a file and who needs it."""
        call, store, project = self._journal.call, self._journal.store, present_project()
        dataset = await call(store.dataset, parse_dataset(request.dataset), project)
        users = await call(store.dataset_users, dataset.sha256, project)
        return pb.GetDatasetResponse(dataset=dataset, users=users)

    async def ListDatasets(
        self, request: pb.ListDatasetsRequest, context: Context
    ) -> pb.ListDatasetsResponse:
        """Returns a page of files."""
        call, store, project = self._journal.call, self._journal.store, present_project()
        name = checked_name(request.name) if request.name else ""
        page = (page_size(request.page_size), request.page_token, name, project)
        datasets, token = await call(store.datasets, *page)
        return pb.ListDatasetsResponse(
            datasets=datasets,
            next_page_token=token,
            total_bytes=await call(store.dataset_bytes, project),
            limit_bytes=self._settings.dataset_bytes or 0,
        )

    async def DeleteDataset(
        self, request: pb.DeleteDatasetRequest, context: Context
    ) -> pb.DeleteDatasetResponse:
        """Deletes a file, or a name of one."""
        reference = parse_dataset(request.dataset)
        wanted = (reference, request.force, present_project())
        dataset, is_gone, left = await self._journal.call(self._delete, *wanted)
        if left:
            await asyncio.to_thread(left.unlink, missing_ok=True)
        return pb.DeleteDatasetResponse(dataset=dataset, file_deleted=is_gone)

    def _delete(
        self, reference: Reference, force: bool, project: str
    ) -> tuple[pb.Dataset, bool, Path | None]:
        """Deletes a file, or a name of one; returns it, whether it is gone, and what is to go.

        Runs in the store's thread: an upload of the same content finds either all of it or nothing.
        """
        store = self._journal.store
        dataset, is_gone = store.delete_dataset(reference, force, project)
        if not is_gone or store.has_dataset(dataset.sha256):
            # Under another name, or another project's as well.
            return dataset, is_gone, None
        return dataset, True, taken_away(self._settings.data_dir, dataset.sha256)

    def _found(self, request: pb.FindFilesRequest) -> pb.FindFilesResponse:
        roots = self._settings.roots_of(present_project())
        return pb.FindFilesResponse(
            readable=[
                is_readable(file.path, file.size_bytes, file.change_time_ns, roots)
                for file in request.files
            ]
        )


async def _header(requests: AsyncIterator[pb.UploadDatasetRequest]) -> pb.StartUploadRequest:
    """Returns what an upload begins with.

    Raises:
        InvalidRequest: Something else came first.
    """
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise InvalidRequest("expected the header of an upload first, got none")


async def _pieces(
    requests: AsyncIterator[pb.UploadDatasetRequest],
) -> AsyncIterator[pb.DatasetPiece]:
    async for request in requests:
        if request.WhichOneof("part") != "piece":
            raise InvalidStream("expected a piece of the file after the header, got another")
        yield request.piece
