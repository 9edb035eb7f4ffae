"""A file written block by block, from any position to any other, is the one that was sent."""

import hashlib
import random
import zlib
from pathlib import Path

import pytest

from dlae_server.datasets import part as module
from dlae_server.datasets.part import BLOCK_BYTES, Part
from dlae_server.errors import InvalidStream

CONTENT = random.Random(3).randbytes(3 * BLOCK_BYTES + 777)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def send(path: Path, steps: list[int]) -> str:
    """Writes on with pieces of some lengths; returns the hash of all that is there."""
    with Part(path, len(CONTENT)) as part:
        part.open()
        for step in steps:
            data = CONTENT[part.length : part.length + step]
            part.append([(data, zlib.crc32(data))])
            part.digest([(data, 0)])
        return part.finished()


@pytest.mark.parametrize("direct", [True, False])
def test_pieces_and_breaks_of_any_length_give_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    if not direct:
        monkeypatch.setattr(module, "_DIRECT", 1 << 30)
    draw = random.Random(7)
    path = tmp_path / "f.part"
    lengths = (1, 511, 4096, 5000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES)
    for _ in range(6):
        path.unlink(missing_ok=True)
        found = ""
        while found != SHA256:
            found = send(path, draw.choices(lengths, k=draw.randint(1, 3)))
            there = path.read_bytes()
            assert there == CONTENT[: len(there)]
            assert found == hashlib.sha256(there).hexdigest()
        assert path.read_bytes() == CONTENT


def test_a_file_system_that_refuses_to_go_past_its_pages_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module._write

    def refusing(file: int, data: memoryview, position: int) -> None:
        if file == part._direct:
            raise OSError(22, "Invalid argument")
        write(file, data, position)

    with Part(tmp_path / "f.part", len(CONTENT)) as part:
        monkeypatch.setattr(module, "_write", refusing)
        part.open()
        part.append([(CONTENT, zlib.crc32(CONTENT))])
    assert (tmp_path / "f.part").read_bytes() == CONTENT


def test_a_damaged_piece_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "f.part"
    send(path, [5000])
    with Part(path, len(CONTENT)) as part:
        part.open()
        with pytest.raises(InvalidStream, match="position 5000 arrived damaged"):
            part.append([(CONTENT[5000:6000], 1)])
        # What was handed on behind it.
        part.append([(CONTENT[6000:7000], zlib.crc32(CONTENT[6000:7000]))])
    assert path.read_bytes() == CONTENT[:5000]


def test_pieces_need_no_checksum_where_the_connection_keeps_them(tmp_path: Path) -> None:
    with Part(tmp_path / "f.part", len(CONTENT)) as part:
        part.open()
        part.append([(CONTENT, None)])
        part.digest([(CONTENT, None)])
        assert part.finished() == hashlib.sha256(CONTENT).hexdigest()


def test_a_full_disk_ends_the_file_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: memoryview, position: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "f.part"
    send(path, [5000])
    rest = CONTENT[5000:]
    part = Part(path, len(CONTENT))
    part.__enter__()
    part.open()
    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(OSError, match="No space"):
        part.append([(rest, zlib.crc32(rest))])
    part.append([(rest, zlib.crc32(rest))])
    with pytest.raises(OSError, match="No space"):
        part.__exit__(None, None, None)
    assert path.read_bytes() == CONTENT[:5000]


def test_more_than_the_file_is_to_have_goes(tmp_path: Path) -> None:
    path = tmp_path / "f.part"
    path.write_bytes(bytes(100))
    with Part(path, 99) as part:
        part.open()
        assert part.length == 0
