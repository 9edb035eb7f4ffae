"""A data file sent to a server, from where the server has nothing of it."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dlae.v1 import datasets_pb2 as pb
from dlae_client.allocation import freed_blocks_kept
from dlae_client.channel import Connection, Patience
from dlae_client.errors import ClientError, InvalidRequest, LocalFileError, ServerUnreachable
from dlae_client.hashing import HashedFile

PIECE_BYTES = 1 << 20
UPLOAD_SECONDS = 24 * 3600.0
# What ends by itself, or by going on: another upload of the file, a network that was away.
_PASSING = ("QUEUE_FULL", "UPLOAD_STALLED", "SHUTTING_DOWN")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Uploaded:
    """What an upload came to.

    Attributes:
        dataset: The file on the server.
        sent_bytes: How much was sent; 0 where the server had it already.
    """

    dataset: pb.Dataset
    sent_bytes: int


def upload(
    connection: Connection,
    stub: Any,
    file: HashedFile,
    name: str,
    seconds: float,
    progress: Progress,
) -> Uploaded:
    """Sends what the server has not of a file; goes on after a break, as long as there is patience.

    Args:
        connection: To the server.
        stub: Of the service of data.
        file: The file.
        name: Name that it gets there; empty for none.
        seconds: How long a server that went away is waited for.
        progress: Called with `uploading`, the bytes there and those of the file.

    Raises:
        LocalFileError: The file cannot be read.
        ClientError: The server does not take it.
    """
    header = pb.StartUploadRequest(sha256=file.sha256, size_bytes=file.size_bytes, name=name)
    patience, first, reached = Patience(seconds), file.size_bytes, -1
    while True:
        pieces = None
        try:
            begun = connection.call(stub.StartUpload, header)
            if begun.HasField("dataset"):
                return Uploaded(begun.dataset, file.size_bytes - first)
            first = min(first, begun.offset)
            if begun.offset > reached:
                # Every break may take its time, as long as something came since the last.
                patience.found()
                reached = begun.offset
            is_checked = not (begun.crc32_optional and connection.is_protected)
            pieces = Pieces(file, header, begun.offset, progress, is_checked)
            with freed_blocks_kept():
                answer = connection.call(stub.UploadDataset, iter(pieces), UPLOAD_SECONDS)
            return Uploaded(answer.dataset, file.size_bytes - first)
        except ClientError as error:
            if pieces and pieces.error:
                raise pieces.error from error
            if not _is_passing(error) or not patience.wait():
                raise


def _is_passing(error: ClientError) -> bool:
    return isinstance(error, ServerUnreachable) or error.reason in _PASSING


class Pieces:
    """The messages of an upload, made as they are sent.

    Args:
        file: The file.
        header: What comes.
        offset: Where to begin.
        progress: As in `upload`.
        is_checked: Whether each piece has a checksum of its own.

    Attributes:
        error: What kept the file from being read; gRPC does not pass it on.
    """

    def __init__(
        self,
        file: HashedFile,
        header: pb.StartUploadRequest,
        offset: int,
        progress: Progress,
        is_checked: bool,
    ) -> None:
        self._file = file
        self._header = header
        self._offset = offset
        self._progress = progress
        self._is_checked = is_checked
        self.error: LocalFileError | None = None

    def __iter__(self) -> Iterator[pb.UploadDatasetRequest]:
        yield pb.UploadDatasetRequest(header=self._header)
        try:
            yield from self._pieces()
        except OSError as error:
            # The server refuses what ends too early; gRPC would print a traceback.
            self.error = LocalFileError(f"cannot read {self._file.path}: {error.strerror}")

    def _pieces(self) -> Iterator[pb.UploadDatasetRequest]:
        offset, size = self._offset, self._file.size_bytes
        with self._file.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while offset < size and (data := file.read(min(PIECE_BYTES, size - offset))):
                request = pb.UploadDatasetRequest()
                # In its place, it is not copied once more.
                piece = request.piece
                piece.offset, piece.data = offset, data
                if self._is_checked:
                    piece.crc32 = zlib.crc32(data)
                yield request
                offset += len(data)
                self._progress("uploading", offset, size)


def is_damaged(error: ClientError) -> bool:
    """Returns whether what came was not the file that was announced: it may have changed."""
    return isinstance(error, InvalidRequest) and error.reason == "INVALID_STREAM"
