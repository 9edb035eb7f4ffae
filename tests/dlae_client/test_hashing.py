"""Hashes of files, remembered until the files change."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from dlae_client.errors import LocalFileError
from dlae_client.hashing import SETTLED_NS, Hashes

CONTENT = bytes(3 << 20)


class Counter:
    """Counts the bytes that were read."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, done: int, size: int) -> None:
        """Notes how far a file is read."""
        assert 0 < done <= size
        self.read = done


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of 3 MiB."""
    path = tmp_path / "Frau Meier.h5"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def hashes(tmp_path: Path) -> Hashes:
    """A memory of its own."""
    return Hashes(tmp_path / "cache" / "hashes.json")


def read(hashes: Hashes, path: Path) -> int:
    """Returns how many bytes were read to know a hash, which must be right."""
    counter = Counter()
    found = hashes.of(path, counter)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.size_bytes == path.stat().st_size
    return counter.read


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns
    monkeypatch.setattr("dlae_client.hashing.time.time_ns", lambda: now() + 2 * SETTLED_NS)


@pytest.mark.usefixtures("_later")
def test_a_file_is_read_once_until_it_changes(hashes: Hashes, file: Path) -> None:
    assert read(hashes, file) == len(CONTENT)
    assert read(hashes, file) == 0
    before = file.stat()
    file.write_bytes(CONTENT[:-1] + b"x")
    # Whoever sets the old time back does not deceive: the time of the inode has moved.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(hashes, file) == len(CONTENT)
    hashes.forget(file)
    assert read(hashes, file) == len(CONTENT)


def test_a_file_that_has_just_changed_is_not_remembered(hashes: Hashes, file: Path) -> None:
    assert read(hashes, file) == read(hashes, file) == len(CONTENT)


@pytest.mark.usefixtures("_later")
def test_what_is_remembered_names_nobody_and_may_be_damaged(
    hashes: Hashes, file: Path, tmp_path: Path
) -> None:
    read(hashes, file)
    place = tmp_path / "cache" / "hashes.json"
    assert "Meier" not in place.read_text()
    place.write_text("[")
    assert read(hashes, file) == len(CONTENT)


def test_a_file_that_changes_meanwhile_or_is_not_there_is_told(hashes: Hashes, file: Path) -> None:
    with pytest.raises(LocalFileError, match="changes while it is read"):
        hashes.of(file, lambda done, size: os.utime(file))
    with pytest.raises(LocalFileError, match="cannot read"):
        hashes.of(file.with_name("none.h5"))
