"""`DatasetService` over the wire: streams of any disorder end with clear statuses."""

import random
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import grpc
import pytest

from dlae.v1 import datasets_pb2 as pb
from dlae.v1.datasets_pb2_grpc import DatasetServiceStub
from dlae_server.datasets.part import BLOCK_BYTES
from dlae_server.datasets.receiving import BATCH_BYTES
from tests.dlae_server.datasets.uploads import header, piece, pieces, samples
from tests.dlae_server.processes import ServerProcess, eventually, reason_of

CONTENT = samples(30)
Requests = Iterable[pb.UploadDatasetRequest]


@pytest.fixture
def stub(server: ServerProcess) -> DatasetServiceStub:
    """The service of a running server."""
    return DatasetServiceStub(server.channel)


def requests(content: bytes, offset: int = 0, name: str = "") -> Requests:
    """Returns an upload from a position on."""
    return [
        pb.UploadDatasetRequest(header=header(content, name)),
        *(pb.UploadDatasetRequest(piece=one) for one in pieces(content, offset)),
    ]


def left(server: ServerProcess) -> list[Path]:
    """Returns what is on its way in."""
    return list((server.data_dir / "datasets").glob("*.part"))


def refused(stub: DatasetServiceStub, sent: Requests) -> tuple[grpc.StatusCode, str]:
    """Returns how an upload fails."""
    with pytest.raises(grpc.RpcError) as caught:
        stub.UploadDataset(iter(sent), timeout=20)
    return caught.value.code(), reason_of(caught.value)


def test_what_is_uploaded_is_listed_shown_and_deleted(
    server: ServerProcess, stub: DatasetServiceStub
) -> None:
    content = samples(4, value=50)
    stored = stub.UploadDataset(iter(requests(content, name="ct"))).dataset
    assert (stored.samples, stored.size_bytes) == (4, len(content))
    page = stub.ListDatasets(pb.ListDatasetsRequest(name="ct"))
    assert list(page.datasets) == [stored]
    assert page.total_bytes >= len(content)
    assert page.limit_bytes == 0
    shown = stub.GetDataset(pb.GetDatasetRequest(dataset="dataset:ct@1"))
    assert (shown.dataset, list(shown.users)) == (stored, [])
    gone = stub.DeleteDataset(pb.DeleteDatasetRequest(dataset="dataset:ct"))
    assert gone.file_deleted
    assert not (server.data_dir / "datasets" / f"{stored.sha256}.h5").exists()
    for call, request in (
        (stub.GetDataset, pb.GetDatasetRequest(dataset="dataset:ct")),
        (stub.DeleteDataset, pb.DeleteDatasetRequest(dataset=f"sha256:{stored.sha256}")),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(request)
        assert reason_of(caught.value) == "DATASET_NOT_FOUND"


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [pb.UploadDatasetRequest()],
        [pb.UploadDatasetRequest(piece=piece(CONTENT, 0))],
        [pb.UploadDatasetRequest(header=pb.StartUploadRequest(sha256="../x", size_bytes=3))],
    ],
)
def test_an_upload_begins_with_its_header(stub: DatasetServiceStub, sent: Requests) -> None:
    assert refused(stub, sent) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


def test_streams_of_any_disorder_are_refused_and_spoil_nothing(
    server: ServerProcess, stub: DatasetServiceStub
) -> None:
    draw = random.Random(11)
    announced = header(CONTENT)
    wrong = (
        pb.UploadDatasetRequest(header=announced),
        pb.UploadDatasetRequest(),
        pb.UploadDatasetRequest(piece=pb.DatasetPiece(offset=-5, data=b"x", crc32=1)),
        pb.UploadDatasetRequest(piece=pb.DatasetPiece(offset=1 << 62, data=b"x")),
    )
    for _ in range(40):
        offset = stub.StartUpload(announced).offset
        good = list(requests(CONTENT, offset))[: draw.randint(1, 4)]
        assert refused(stub, [*good, draw.choice(wrong)])[1] == "INVALID_STREAM"
        if offset > len(CONTENT) // 2:
            left(server)[0].unlink()
    offset = stub.StartUpload(announced).offset
    stored = stub.UploadDataset(iter(requests(CONTENT, offset))).dataset
    assert stored.samples == 30
    assert left(server) == []
    assert "Traceback" not in server.log.read_text()


def test_a_call_that_is_cancelled_leaves_what_came_and_no_lock(
    server: ServerProcess, stub: DatasetServiceStub
) -> None:
    content = samples(31) + bytes(BATCH_BYTES)  # HDF5 reads no further than its own end.
    announced = pb.UploadDatasetRequest(header=header(content))
    waiting = threading.Event()

    def sent(offset: int, length: int) -> Requests:
        return [announced, pb.UploadDatasetRequest(piece=piece(content, offset, length))]

    def endless() -> Iterator[pb.UploadDatasetRequest]:
        yield from sent(0, BATCH_BYTES)
        waiting.wait(60)

    call = stub.UploadDataset.future(endless())
    try:
        # Not the header alone has come: what is written at a time is on the disk.
        eventually(lambda: sum(path.stat().st_size for path in left(server)) == BATCH_BYTES)
        call.cancel()
        eventually(call.done)
        assert stub.StartUpload(header(content)).offset == BATCH_BYTES
        rest = sent(BATCH_BYTES, len(content))

        def has_gone_on() -> bool:
            try:
                return stub.UploadDataset(iter(rest)).dataset.samples == 31
            except grpc.RpcError:
                # The server may hear later than the client that the first call is over.
                return False

        eventually(has_gone_on)
    finally:
        waiting.set()


def test_damage_is_found_in_the_piece_and_in_the_whole(
    server: ServerProcess, stub: DatasetServiceStub
) -> None:
    content = bytes(2 * BLOCK_BYTES)
    broken = pb.DatasetPiece(offset=0, data=content[:9], crc32=zlib.crc32(b"other"))
    head = pb.UploadDatasetRequest(header=header(content))
    assert refused(stub, [head, pb.UploadDatasetRequest(piece=broken)])[1] == "INVALID_STREAM"
    other = bytes(2 * BLOCK_BYTES - 1) + b"x"
    whole = [pb.DatasetPiece(offset=0, data=other, crc32=zlib.crc32(other))]
    sent = [head, *(pb.UploadDatasetRequest(piece=one) for one in whole)]
    assert refused(stub, sent)[1] == "INVALID_STREAM"
    assert left(server) == []
    # The file itself is no data.
    whole = [pb.DatasetPiece(offset=0, data=content, crc32=zlib.crc32(content))]
    sent = [head, *(pb.UploadDatasetRequest(piece=one) for one in whole)]
    assert refused(stub, sent) == (grpc.StatusCode.FAILED_PRECONDITION, "UNUSABLE_DATASET")
    assert left(server) == []


def test_only_files_of_the_roots_that_are_the_same_are_found(
    server: ServerProcess, stub: DatasetServiceStub, tmp_path: Path
) -> None:
    inside, outside = server.data / "X.h5", tmp_path / "X.h5"
    outside.touch()
    facts = inside.stat()
    same = {"size_bytes": facts.st_size, "change_time_ns": facts.st_mtime_ns}
    asked = [
        pb.LocalFile(path=str(inside), **same),
        pb.LocalFile(path=str(inside), **{**same, "size_bytes": 3}),
        pb.LocalFile(path=str(inside), **{**same, "change_time_ns": 3}),
        pb.LocalFile(path=str(outside), change_time_ns=outside.stat().st_mtime_ns),
        pb.LocalFile(path="X.h5", **same),
        pb.LocalFile(path="\0", **same),
        pb.LocalFile(path=str(server.data)),
    ]
    answer = stub.FindFiles(pb.FindFilesRequest(files=asked))
    assert list(answer.readable) == [True, False, False, False, False, False, False]
    with pytest.raises(grpc.RpcError) as caught:
        stub.FindFiles(pb.FindFilesRequest(files=[pb.LocalFile()] * 1001))
    assert reason_of(caught.value) == "INVALID_REQUEST"
