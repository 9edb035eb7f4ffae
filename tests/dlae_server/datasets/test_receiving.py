"""Uploads: whole or nothing, gone on with after a break, and nothing left of what is refused."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dlae.v1.datasets_pb2 import Dataset, DatasetPiece
from dlae_core.errors import DlaeError, StorageFailed, UnusableDataset
from dlae_server.datasets import files, receiving
from dlae_server.datasets.arrival import Arrival
from dlae_server.datasets.receiving import Receiver
from dlae_server.errors import (
    InvalidRequest,
    InvalidStream,
    QueueFull,
    QuotaExceeded,
    UploadStalled,
)
from dlae_server.jobs.journal import Journal
from tests.dlae_server.datasets.uploads import (
    InProcess,
    header,
    left,
    piece,
    pieces,
    samples,
    sent,
    stream,
    with_receiver,
)

CONTENT = samples(20)


@pytest.fixture(autouse=True)
def _looks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "Arrival", InProcess)


def test_a_file_arrives_whole_under_its_hash_and_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "Arrival", Arrival)

    async def work(receiver: Receiver, journal: Journal) -> Dataset:
        return await sent(receiver, CONTENT, "ct")

    dataset = with_receiver(tmp_path, work)
    assert (dataset.samples, dataset.kind) == (20, Dataset.KIND_SAMPLES)
    form = dataset.forms[0]
    assert (list(form.shape), form.dtype, form.samples) == ([4, 5], "uint8", 20)
    assert [(one.name, one.version) for one in dataset.versions] == [("ct", 1)]
    assert files.dataset_file(tmp_path, dataset.sha256).read_bytes() == CONTENT
    assert left(tmp_path) == [".h5"]


def test_a_file_that_is_there_is_not_sent_again_and_gets_further_names(tmp_path: Path) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        await sent(receiver, CONTENT, "a")
        offset, known = await receiver.begun(header(CONTENT, "a"))
        assert known is not None
        assert offset == len(CONTENT)
        assert [(one.name, one.version) for one in known.versions] == [("a", 1)]
        await sent(receiver, samples(2), "a")
        # Sent all the same, it is taken as it is, whatever the pieces.
        again = await receiver.take(header(CONTENT, "a"), stream([]))
        names = [(one.name, one.version) for one in again.versions]
        assert names == [("a", 1), ("a", 3)]

    with_receiver(tmp_path, work)


def test_an_upload_that_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    async def broken(receiver: Receiver, journal: Journal) -> None:
        with pytest.raises(InvalidStream, match="got 3000"):
            await receiver.take(header(CONTENT), stream(pieces(CONTENT, 0, 3000)))

    async def whole(receiver: Receiver, journal: Journal) -> None:
        offset, known = await receiver.begun(header(CONTENT))
        assert (offset, known) == (3000, None)
        dataset = await receiver.take(header(CONTENT), stream(pieces(CONTENT, offset)))
        assert dataset.size_bytes == len(CONTENT)

    with_receiver(tmp_path, broken)
    assert left(tmp_path) == [".part"]
    with_receiver(tmp_path, whole)
    assert left(tmp_path) == [".h5"]


def test_a_crash_before_the_store_knows_costs_no_byte(tmp_path: Path) -> None:
    announced = header(CONTENT)
    target = files.dataset_file(tmp_path, announced.sha256)
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    target.with_suffix(".gone").touch()

    async def work(receiver: Receiver, journal: Journal) -> None:
        assert await receiver.begun(announced) == (len(CONTENT), None)
        await receiver.take(announced, stream([]))

    with_receiver(tmp_path, work)
    assert left(tmp_path) == [".h5"]


def _wrong(kind: str) -> list[DatasetPiece]:
    good = pieces(CONTENT)
    damaged = piece(CONTENT, 1000)
    damaged.crc32 ^= 1
    longer = good[-1].data + b"x"
    last = DatasetPiece(offset=good[-1].offset, data=longer, crc32=0)
    found = {
        "gap": [good[0], good[2]],
        "overlap": [good[0], good[0]],
        "before": [good[1], good[0]],
        "damaged": [good[0], damaged],
        "too long": [*good[:-1], last],
        "one more": [*good, piece(CONTENT + b"x", len(CONTENT))],
        "empty": [good[0], DatasetPiece(offset=1000)],
        "large": [DatasetPiece(offset=0, data=bytes((4 << 20) + 1))],
        "negative": [DatasetPiece(offset=-1, data=b"x")],
        "short": good[:-1],
        "nothing": [],
    }
    return found[kind]


WRONG = (
    *("gap", "overlap", "before", "damaged", "too long", "one more", "empty", "large"),
    *("negative", "short", "nothing"),
)


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_pieces_are_refused_and_what_was_right_is_gone_on_with(
    tmp_path: Path, kind: str
) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        with pytest.raises(InvalidStream):
            await receiver.take(header(CONTENT), stream(_wrong(kind)))
        assert (await sent(receiver, CONTENT)).size_bytes == len(CONTENT)

    with_receiver(tmp_path, work)
    assert left(tmp_path) == [".h5"]


def test_another_file_than_announced_leaves_nothing(tmp_path: Path) -> None:
    other = samples(20, value=1)
    assert len(other) == len(CONTENT)

    async def work(receiver: Receiver, journal: Journal) -> None:
        with pytest.raises(InvalidStream, match="checksum"):
            await receiver.take(header(CONTENT), stream(pieces(other)))
        assert await receiver.begun(header(CONTENT)) == (0, None)

    with_receiver(tmp_path, work)
    assert left(tmp_path) == []


def test_streams_of_any_disorder_end_clearly_and_never_spoil_the_file(tmp_path: Path) -> None:
    random.seed(5)

    def disorder() -> Iterator[DatasetPiece]:
        for one in random.choices(pieces(CONTENT), k=random.randint(0, 9)):
            changed = DatasetPiece.FromString(one.SerializeToString())
            if random.random() < 0.3:
                changed.offset += random.choice((-1, 1, 1000, 1 << 40))
            if random.random() < 0.2:
                changed.data = changed.data[: random.randint(0, 999)]
            yield changed

    async def work(receiver: Receiver, journal: Journal) -> None:
        for _ in range(200):
            offset, _known = await receiver.begun(header(CONTENT))
            beginning = pieces(CONTENT, offset)[: random.randint(0, 1)]
            with pytest.raises(DlaeError) as caught:
                await receiver.take(header(CONTENT), stream([*beginning, *disorder()]))
            assert caught.type is InvalidStream
            await receiver.begun(header(CONTENT))
            if offset > len(CONTENT) // 2:
                files.part_file(tmp_path, header(CONTENT).sha256).unlink()
        assert not receiver._active
        await sent(receiver, CONTENT)

    with_receiver(tmp_path, work)
    assert left(tmp_path) == [".h5"]
    assert files.dataset_file(tmp_path, header(CONTENT).sha256).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "changes",
    [
        *({"sha256": "ab"}, {"sha256": "../" + "a" * 61}, {"sha256": "A" * 64}),
        *({"size_bytes": 0}, {"size_bytes": -1}, {"name": "Frau Meier"}, {"name": "a/b"}),
    ],
)
def test_headers_that_are_none_are_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        announced = header(CONTENT)
        for name, value in changes.items():
            setattr(announced, name, value)
        for call in (receiver.begun(announced), receiver.take(announced, stream([]))):
            with pytest.raises(InvalidRequest):
                await call

    with_receiver(tmp_path, work)


def test_one_file_comes_by_one_upload_and_a_silent_one_ends(tmp_path: Path) -> None:
    async def silent() -> AsyncIterator[DatasetPiece]:
        yield piece(CONTENT, 0)
        await asyncio.sleep(60)

    async def work(receiver: Receiver, journal: Journal) -> None:
        first = asyncio.create_task(receiver.take(header(CONTENT), silent()))
        await asyncio.sleep(0.05)
        with pytest.raises(QueueFull):
            await receiver.take(header(CONTENT), stream(pieces(CONTENT)))
        # Others come meanwhile.
        await sent(receiver, samples(2))
        with pytest.raises(UploadStalled):
            await first
        assert (await receiver.begun(header(CONTENT)))[0] == 1000
        await sent(receiver, CONTENT)

    with_receiver(tmp_path, work, upload_silence_seconds=0.3)


def test_an_upload_that_is_cancelled_keeps_what_came(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[DatasetPiece]:
        for one in pieces(CONTENT)[:3]:
            yield one
        await asyncio.sleep(60)

    async def work(receiver: Receiver, journal: Journal) -> None:
        task = asyncio.create_task(receiver.take(header(CONTENT), endless()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not receiver._active
        assert (await receiver.begun(header(CONTENT)))[0] == 3000

    with_receiver(tmp_path, work)


def test_what_is_no_data_is_refused_with_every_problem_and_not_kept(tmp_path: Path) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        for content, what in ((b"\x89HDF nothing", "HDF5"), (CONTENT[:-500], "truncated")):
            with pytest.raises(UnusableDataset, match=what):
                await sent(receiver, content)

    with_receiver(tmp_path, work)
    assert left(tmp_path) == []


def test_a_full_quota_says_what_to_delete(tmp_path: Path) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        await sent(receiver, CONTENT, "old")
        with pytest.raises(QuotaExceeded, match=r"delete dataset:old@1 \(\d+ bytes\)"):
            await sent(receiver, samples(19))
        assert (await sent(receiver, CONTENT, "again")).versions[0].name == "again"

    with_receiver(tmp_path, work, dataset_bytes=len(CONTENT) + 100)
    assert left(tmp_path) == [".h5"]


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    async def work(receiver: Receiver, journal: Journal) -> None:
        receiver._settings = replace(receiver._settings, free_bytes=1 << 60)
        with pytest.raises(StorageFailed, match="no room"):
            await sent(receiver, CONTENT)

    with_receiver(tmp_path, work)
    assert left(tmp_path) == []


def test_what_nobody_goes_on_with_is_swept(tmp_path: Path) -> None:
    folder = files.datasets_folder(tmp_path)
    folder.mkdir()
    for name, age in (("old", 2), ("new", 0), ("active", 2)):
        path = folder / f"{name}.part"
        path.touch()
        os.utime(path, (time.time() - age * 3600,) * 2)
    files.sweep(tmp_path, {"active"}, kept_seconds=3600)
    assert sorted(path.stem for path in folder.iterdir()) == ["active", "new"]
