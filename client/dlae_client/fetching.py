"""Models and results to files: every file checked, and whole or not there.

What has come lies beside the destination, under a name that its content gives it, until all is
there. A fetch that broke off, whatever ended it, goes on with that when it is asked for again.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dlae.v1 import models_pb2 as pb
from dlae.v1.training_pb2 import ResultFile
from dlae_client.errors import DataLost, LocalFileError, NotFound

# Gives a file from a position on: `file`, `offset` and `data` of each piece.
Chunks = Callable[[str, int], Iterable[Any]]
File = pb.ModelFile | ResultFile

BLOCK_BYTES = 1 << 20


def fetch_file(model: pb.Model, name: str, chunks: Chunks, path: Path, overwrite: bool) -> Path:
    """Writes one file of a model; missing folders on the way to it are made.

    Raises:
        NotFound: The model has no such file.
        LocalFileError: The destination exists or cannot be written.
        DataLost: What came is not what the server has.
        ServerUnreachable: The server went away; what has come is kept for the next time.
    """
    entry = next((file for file in model.files if file.name == name), None)
    if entry is None:
        message = f"the model {model.name}@{model.version} has no file '{name}'"
        raise NotFound(message, "FILE_NOT_FOUND")
    return fetch_entry(entry, chunks, path, overwrite)


def fetch_entry(entry: File, chunks: Chunks, path: Path, overwrite: bool) -> Path:
    """Writes a file that is known to be there, otherwise as `fetch_file`."""
    _require_free(path, overwrite)
    with _writing(path, entry.sha256) as part:
        _receive(chunks, entry, part)
        part.replace(path)
    return path


def fetch_folder(model: pb.Model, chunks: Chunks, path: Path, overwrite: bool) -> Path:
    """Writes all files of a model into a folder.

    Raises:
        LocalFileError: The destination exists or cannot be written, or holds other things than a
            model, which replacing it would destroy.
        DataLost: What came is not what the server has.
        ServerUnreachable: The server went away; what has come is kept for the next time.
    """
    _require_free(path, overwrite)
    entries = {file.name: file for file in model.files}
    for name in entries:
        if name in ("", ".", "..") or Path(name).name != name:
            raise DataLost(f"the server named a file '{name[:80]}', which is no plain name", "NAME")
    content = "".join(f"{name}:{entries[name].sha256};" for name in sorted(entries))
    with _writing(path, hashlib.sha256(content.encode()).hexdigest()) as part:
        _require_replaceable(path, set(entries))
        part.mkdir(exist_ok=True)
        for entry in entries.values():
            _receive(chunks, entry, part / entry.name)
        _sync(part)
        _replace_folder(path, part)
    return path


def _require_free(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise LocalFileError(f"{path} exists already; choose another name or use --overwrite")


def _require_replaceable(path: Path, names: set[str]) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise LocalFileError(f"{path} is a file; name a folder, or a file that ends in .keras")
    other = sorted({entry.name for entry in path.iterdir()} - names)
    if other:
        raise LocalFileError(f"{path} holds more than a model ({other[0]}); choose another folder")


@contextmanager
def _writing(path: Path, content: str) -> Iterator[Path]:
    """Gives a name beside the destination; under it stays only what another call can go on with."""
    part = path.with_name(f".{path.name}.{content[:12]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _sync(path.parent)
    except OSError as error:
        _remove(part)
        raise LocalFileError(f"cannot write {path}: {error.strerror or error}") from error
    except (DataLost, LocalFileError):
        _remove(part)
        raise
    # What was begun of other versions will not be gone on with.
    for old in path.parent.glob(f".{path.name}.*.part"):
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(NotADirectoryError):
            path.unlink(missing_ok=True)


def _replace_folder(path: Path, new: Path) -> None:
    """Puts a folder in the place of another, which is removed last."""
    if not path.exists():
        new.replace(path)
        return
    old = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    path.replace(old)
    try:
        new.replace(path)
    except OSError:
        old.replace(path)
        raise
    _remove(old)


def _receive(chunks: Chunks, entry: File, part: Path) -> None:
    """Writes a file, going on with what is there already.

    Raises:
        DataLost: What came is not what the server has.
    """
    begun = part.exists()
    if _is_received(chunks, entry, part):
        return
    part.unlink()
    # What was there may have been damaged since, or be another's.
    if not begun or not _is_received(chunks, entry, part):
        message = f"{entry.name} arrived damaged: its checksum is not the server's; fetch again"
        raise DataLost(message, "CHECKSUM")


def _is_received(chunks: Chunks, entry: File, part: Path) -> bool:
    """Writes what is missing of a file; returns whether it is what the server has."""
    digest, length = hashlib.sha256(), 0
    with part.open("a+b") as file:
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            length += len(block)
        if length < entry.size_bytes:
            length += _append(chunks(entry.name, length), entry.name, file, digest, length)
        file.flush()
        os.fsync(file.fileno())
    return (length, digest.hexdigest()) == (entry.size_bytes, entry.sha256)


def _append(chunks: Iterable[Any], name: str, file: Any, digest: Any, start: int) -> int:
    """Appends chunks to a file; returns how many bytes came."""
    length = start
    for chunk in chunks:
        if chunk.file != name or chunk.offset != length:
            raise DataLost(f"the server sent a piece of '{chunk.file[:80]}' out of order", "ORDER")
        file.write(chunk.data)
        digest.update(chunk.data)
        length += len(chunk.data)
    return length - start


def _sync(path: Path) -> None:
    """Has the disk take what was written to a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
