"""Arrays and facts in one file, verified by hash.

The file is a zip archive whose entries are not compressed:

    dlae/state.json     the facts, and of every array its SHA-256
    dlae/<name>.npy     the arrays, little-endian, without pickle

Its comment is the SHA-256 of `state.json`. An archive may hold other entries as well: a checkpoint
that is also a model has those of Keras. Numbers and texts only: nothing in it can be code.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import written_whole
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact

# Another one whenever the facts or arrays of a training change their meaning.
FORMAT = 1
FOLDER = "dlae/"
STATE = f"{FOLDER}state.json"
# Bytes that are hashed and written at a time.
_BLOCK = 1 << 20
# Equal states are equal files.
_DATE = (1980, 1, 1, 0, 0, 0)

Facts = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]

# All that zipfile, json and numpy raise for a file that is damaged: what it is depends on the byte.
_DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Archive:
    """What an archive holds.

    Attributes:
        facts: JSON values.
        arrays: By name.
    """

    facts: Facts
    arrays: Arrays


def write_archive(
    path: Path, archive: Archive, first: Callable[[zipfile.ZipFile], None] = lambda writer: None
) -> None:
    """Writes an archive so that it is there, on the disk, whole, or not at all.

    Args:
        path: Where; what is there is replaced.
        archive: What to write.
        first: Writes entries of its own.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    with written_whole(path) as file, zipfile.ZipFile(file, "w") as writer:
        first(writer)
        hashes = {name: _write_array(writer, name, one) for name, one in archive.arrays.items()}
        state = {"format": FORMAT, "facts": archive.facts, "arrays": hashes}
        text = json.dumps(state).encode()
        with new_entry(writer, STATE) as entry:
            entry.write(text)
        writer.comment = hashlib.sha256(text).hexdigest().encode()


@contextmanager
def new_entry(writer: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Gives an entry of an archive to write, which does not tell when it was written."""
    with writer.open(zipfile.ZipInfo(name, _DATE), "w", force_zip64=True) as entry:
        yield entry


def read_archive(path: Path) -> Archive:
    """Reads an archive and verifies all of it.

    Raises:
        IncompatibleArtifact: It is of another version.
        CorruptArtifact: It is damaged, or no archive of ours.
    """
    try:
        with zipfile.ZipFile(path) as reader:
            size = path.stat().st_size
            state = _state(reader, size)
            if state["format"] != FORMAT:
                raise IncompatibleArtifact(
                    f"expected a checkpoint of format {FORMAT} in {path.name}, got format "
                    f"{state['format']}; use the version of DLAE that made it"
                )
            arrays = {
                name: _read_array(reader, name, digest, size)
                for name, digest in state["arrays"].items()
            }
            return Archive(state["facts"], arrays)
    except _DAMAGED as error:
        raise CorruptArtifact(
            f"expected a checkpoint in {path.name}, found a damaged file; use an older one"
        ) from error


def is_archive(path: Path) -> bool:
    """Returns whether a file looks like an archive of ours, damaged or not."""
    try:
        with zipfile.ZipFile(path) as reader:
            return STATE in reader.namelist()
    except _DAMAGED:
        return False


def _write_array(writer: zipfile.ZipFile, name: str, array: NDArray[Any]) -> str:
    """Writes an array block by block; returns the SHA-256 of its entry."""
    # Not `ascontiguousarray`, which makes a vector of a number.
    array = np.asarray(array, order="C")
    digest = hashlib.sha256()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    with new_entry(writer, f"{FOLDER}{name}.npy") as entry:
        for block in (head.getvalue(), *_blocks(array)):
            digest.update(block)
            entry.write(block)
    return digest.hexdigest()


def _blocks(array: NDArray[Any]) -> Iterator[bytes]:
    content = array.reshape(-1).view(np.uint8)
    for start in range(0, len(content), _BLOCK):
        yield content[start : start + _BLOCK].tobytes()


def _state(reader: zipfile.ZipFile, size: int) -> dict[str, Any]:
    text = _read(reader, STATE, size)
    if hashlib.sha256(text).hexdigest().encode() != reader.comment:
        raise ValueError("the state is not what was written")
    state: dict[str, Any] = json.loads(text)
    return state


def _read_array(reader: zipfile.ZipFile, name: str, digest: str, size: int) -> NDArray[Any]:
    content = _read(reader, f"{FOLDER}{name}.npy", size)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{name} is not what was written")
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array


def _read(reader: zipfile.ZipFile, name: str, size: int) -> bytes:
    entry = reader.getinfo(name)
    # We do not compress: what grows on reading is none of ours.
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
        raise ValueError(f"{name} is compressed")
    return reader.read(entry)
