"""Bytes that cross between processes."""

import os
from collections.abc import Iterator

import pytest

from dlae_server.serving import memory
from dlae_server.serving.frames import (
    Output,
    Question,
    packed_failure,
    unpacked_failure,
)


@pytest.fixture
def shared() -> Iterator[int]:
    """Shared memory."""
    descriptor = memory.create("test")
    yield descriptor
    os.close(descriptor)


def test_parts_are_written_one_behind_the_other_and_seen_by_the_reader(shared: int) -> None:
    mapped = memory.Mapped(shared)
    for parts in ([b"ab", bytearray(b"cde")], [b"x"], [bytes([n % 251]) * 3 for n in range(2000)]):
        memory.write(shared, parts)
        whole = b"".join(parts)
        assert bytes(mapped.view(len(whole))) == whole
        assert b"".join(memory.read(shared, 0, len(whole))) == whole
    assert mapped.view(0) == b""


def test_a_part_is_read_from_its_place_in_pieces_of_a_megabyte(shared: int) -> None:
    data = os.urandom((2 << 20) + 5)
    memory.write(shared, [data])
    parts = memory.read(shared, 3, len(data) - 4)
    assert [len(part) for part in parts] == [1 << 20, 1 << 20, 1]
    assert b"".join(parts) == data[3:-1]


def test_writes_that_stop_early_go_on(shared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda at, parts, offset: whole(at, [parts[0][:2]], offset))
    memory.write(shared, [b"abc", memoryview(b"defgh")])
    assert os.pread(shared, 20, 0) == b"abcdefgh"


def test_large_memory_is_given_back_and_serves_again(
    shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "KEPT_BYTES", 8192)
    mapped = memory.Mapped(shared)
    for data in (os.urandom(50_000), os.urandom(60_000)):
        memory.write(shared, [data])
        assert bytes(mapped.view(len(data))) == data
        memory.trim(shared, len(data))
        assert os.fstat(shared).st_size == 8192


def test_frames_come_back_as_they_were() -> None:
    question = Question("<f4", (2, 0, 3), 1 << 40, 1, b"abc", True)
    assert Question.unpacked(question.packed()) == question
    output = Output("|u1", (), 7, (0.5, 1.0, 2.0))
    assert Output.unpacked(output.packed()) == output
    told = Output("|u1", (3, 2), 6, (0.5, 1.0, 2.0), b"described")
    assert Output.unpacked(told.packed()) == told
    assert unpacked_failure(packed_failure("INVALID_IMAGE", "ä" * 9)) == ("INVALID_IMAGE", "ä" * 9)
    assert len(packed_failure("R", "ä" * 50_000)) < 10_000
