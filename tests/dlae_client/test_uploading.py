"""Pieces of an upload carry checksums where the connection does not keep them whole."""

import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from dlae.v1 import datasets_pb2 as pb
from dlae_client.channel import Connection
from dlae_client.credentials import Credentials
from dlae_client.hashing import HashedFile
from dlae_client.targets import Target
from dlae_client.uploading import PIECE_BYTES, upload

CONTENT = bytes(range(250)) * (PIECE_BYTES // 100)


class Service:
    """A service, and the connection to it, that keeps what comes."""

    def __init__(self, is_protected: bool, crc32_optional: bool) -> None:
        self.is_protected = is_protected
        self._begun = pb.StartUploadResponse(offset=7, crc32_optional=crc32_optional)
        self.pieces: list[pb.DatasetPiece] = []

    def call(self, method: Any, request: Any, seconds: float = 0) -> Any:
        """Calls a method."""
        return method(request)

    def StartUpload(self, request: pb.StartUploadRequest) -> pb.StartUploadResponse:
        """Has the first bytes."""
        return self._begun

    def UploadDataset(self, requests: Any) -> pb.UploadDatasetResponse:
        """Takes in a file."""
        self.pieces = [request.piece for request in requests if request.HasField("piece")]
        return pb.UploadDatasetResponse()


@pytest.mark.parametrize(
    ("is_protected", "crc32_optional", "checked"),
    [(True, True, False), (True, False, True), (False, True, True)],
)
def test_checksums_are_left_out_only_where_server_and_connection_need_none(
    tmp_path: Path, is_protected: bool, crc32_optional: bool, checked: bool
) -> None:
    path = tmp_path / "X.h5"
    path.write_bytes(CONTENT)
    service: Any = Service(is_protected, crc32_optional)
    file = HashedFile(path, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    upload(service, service, file, "", 1.0, lambda *progress: None)
    assert b"".join(piece.data for piece in service.pieces) == CONTENT[7:]
    for piece in service.pieces:
        assert piece.HasField("crc32") == checked
        assert not checked or piece.crc32 == zlib.crc32(piece.data)


def test_this_machine_and_tls_keep_bytes_from_damage() -> None:
    for server, tls, protected in (
        ("127.0.0.1:1", False, True),
        ("example.org:1", False, False),
        ("example.org:1", True, True),
    ):
        connection = Connection(Target(server, Credentials(tls=tls)))
        assert connection.is_protected == protected
        connection.close()
