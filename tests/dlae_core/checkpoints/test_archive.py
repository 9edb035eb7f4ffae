"""Archives: verified to the last byte that matters, whole or not there."""

import json
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from dlae_core.checkpoints import archive as archives
from dlae_core.checkpoints.archive import Archive, is_archive, read_archive, write_archive
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, StorageFailed

ARRAYS = {
    "model/0": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "scalar": np.float32(3).reshape(()),
    "seed": np.array([1, 2**32 - 1], np.uint32),
    "nothing": np.zeros((0, 4)),
}
FACTS = {"position": {"epoch": 3}, "history": [{"loss": 0.1 + 0.2}], "best": None}


def _same(found: Archive) -> bool:
    arrays = found.arrays
    return found.facts == FACTS and all(
        arrays[name].dtype == one.dtype and arrays[name].tolist() == one.tolist()
        for name, one in ARRAYS.items()
    )


@contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.dlae"
    write_archive(path, Archive(FACTS, ARRAYS))
    return path


def test_facts_and_arrays_come_back_exactly(path: Path) -> None:
    assert _same(read_archive(path))


def test_an_archive_is_told_from_other_files(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"text")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as writer:
        writer.writestr("x", "y")
    assert is_archive(path)
    for name in ("other", "other.zip", "missing"):
        assert not is_archive(tmp_path / name)


def test_equal_states_are_equal_files(path: Path) -> None:
    first = path.read_bytes()
    write_archive(path, Archive(FACTS, ARRAYS))
    assert path.read_bytes() == first


def test_no_flipped_byte_is_ever_read_as_a_state(path: Path) -> None:
    whole = path.read_bytes()
    found = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            # What zip programs alone care for, such as a date, may change.
            assert _same(read_archive(path)), place
        except (CorruptArtifact, IncompatibleArtifact):
            found += 1
    assert found > len(whole) / 2


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_found(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CorruptArtifact, match=r"a\.dlae, found a damaged file"):
        read_archive(path)


def test_another_format_is_told_apart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FORMAT", 2)
    with pytest.raises(IncompatibleArtifact, match=r"format 2 in .*, got format 1"):
        read_archive(path)


def test_what_grows_on_reading_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path) as reader:
        entries = {name: reader.read(name) for name in reader.namelist()}
        comment = reader.comment
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in entries.items():
            writer.writestr(name, content)
        writer.comment = comment
    with pytest.raises(CorruptArtifact):
        read_archive(path)


def test_objects_are_neither_written_nor_read(path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        write_archive(path, Archive({}, {"x": np.array([{}], object)}))
    assert _same(read_archive(path))


def test_other_programs_can_read_it(path: Path) -> None:
    with zipfile.ZipFile(path) as reader:
        assert json.loads(reader.read("dlae/state.json"))["facts"] == FACTS
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["dlae/seed"].tolist() == [1, 2**32 - 1]


def test_a_full_disk_leaves_the_old_file_whole(path: Path) -> None:
    before = path.read_bytes()
    big = Archive({}, {"x": np.ones(100_000)})
    with full_disk(60_000), pytest.raises(StorageFailed, match=r"cannot write a\.dlae: File too"):
        write_archive(path, big)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["a.dlae"]
