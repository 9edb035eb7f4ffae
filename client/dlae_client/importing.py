"""A model of somebody else, sent to a server in pieces."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlae.v1 import models_pb2 as pb
from dlae_client.channel import Connection, Patience
from dlae_client.configuration import read_text
from dlae_client.errors import ClientError, LocalFileError, ServerUnreachable

CHUNK_BYTES = 1 << 20
IMPORT_SECONDS = 3600.0
_PASSING = ("QUEUE_FULL", "UPLOAD_STALLED", "SHUTTING_DOWN")
UNCERTAIN = (
    "the server went away when it had the whole file; look with `dlae-client models list` whether "
    "it has stored the model before you send it again"
)
# Ending of a file -> its format, the longest first.
FORMATS = {".weights.h5": "weights.h5", ".keras": "keras", ".h5": "h5", ".hdf5": "h5"}


def import_header(
    path: Path, configuration: str | Path | Mapping[str, Any]
) -> pb.ImportModelHeader:
    """Returns what an import begins with, but for name and signature.

    Raises:
        LocalFileError: A file cannot be read, or the model has another ending than models have.
    """
    form = next((FORMATS[ending] for ending in FORMATS if path.name.endswith(ending)), "")
    if not form:
        raise LocalFileError(f"expected a model ending in .keras or .h5, got {path.name}")
    digest, length = hashlib.sha256(), 0
    for block in _blocks(path):
        digest.update(block)
        length += len(block)
    return pb.ImportModelHeader(
        config_json=_without_paths(configuration),
        format=form,
        size_bytes=length,
        sha256=digest.hexdigest(),
    )


def send(
    connection: Connection, stub: Any, path: Path, header: pb.ImportModelHeader, seconds: float
) -> pb.ImportModelResponse:
    """Sends what the server has not of a file; goes on after a break, as long as there is patience.

    Args:
        connection: To the server.
        stub: Of the service of models.
        path: The file.
        header: What it is.
        seconds: How long a server that went away is waited for.

    Raises:
        LocalFileError: The file cannot be read.
        ServerUnreachable: The server went away: before it had all, or so late that it may have
            stored the model.
        ClientError: The server does not take it.
    """
    patience, reached = Patience(seconds), -1
    requests: Requests | None = None
    while True:
        try:
            offset = _begun(connection, stub, header)
            if requests and requests.are_sent and not offset:
                raise ServerUnreachable(UNCERTAIN, "IMPORT_UNCERTAIN")
            if offset > reached:
                patience.found()
                reached = offset
            requests = Requests(path, header, offset)
            answer: pb.ImportModelResponse = connection.call(
                stub.ImportModel, iter(requests), IMPORT_SECONDS
            )
            return answer
        except ClientError as error:
            if requests and requests.error:
                raise requests.error from error
            if not _is_passing(error, requests is not None) or not patience.wait():
                raise


class Requests:
    """The messages of an import, made as they are sent.

    Attributes:
        are_sent: Whether the last has been asked for.
        error: What kept the file from being read; gRPC does not pass it on.
    """

    def __init__(self, path: Path, header: pb.ImportModelHeader, offset: int) -> None:
        self._path = path
        self._header = header
        self._header.offset = offset
        self.are_sent = False
        self.error: LocalFileError | None = None

    def __iter__(self) -> Iterator[pb.ImportModelRequest]:
        yield pb.ImportModelRequest(header=self._header)
        try:
            for block in _blocks(self._path, self._header.offset):
                yield pb.ImportModelRequest(data=block)
        except LocalFileError as error:
            # The server refuses what ends too early; gRPC would print a traceback.
            self.error = error
        self.are_sent = True


def _begun(connection: Connection, stub: Any, header: pb.ImportModelHeader) -> int:
    """Returns how much of a file the server has."""
    request = pb.StartImportRequest(sha256=header.sha256, size_bytes=header.size_bytes)
    try:
        return int(connection.call(stub.StartImport, request).offset)
    except ClientError as error:
        if error.reason != "UNIMPLEMENTED":
            raise
        return 0


def _is_passing(error: ClientError, has_begun: bool) -> bool:
    """Returns whether it may be gone on; the call that broke off may be under way there still."""
    if isinstance(error, ServerUnreachable):
        return error.reason != "IMPORT_UNCERTAIN"
    return has_begun and error.reason in _PASSING


def _blocks(path: Path, offset: int = 0) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while block := file.read(CHUNK_BYTES):
                yield block
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror or error}") from error


def _without_paths(configuration: str | Path | Mapping[str, Any]) -> str:
    """Returns a configuration as text, without paths: they may name patients."""
    if isinstance(configuration, Mapping):
        sections = dict(configuration)
    else:
        text = read_text(Path(configuration).expanduser())
        try:
            sections = json.loads(text)
        except (ValueError, RecursionError):
            return text  # the server says what is wrong with it
    if isinstance(sections, dict):
        sections.pop("paths", None)
    return json.dumps(sections)
