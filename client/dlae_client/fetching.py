"""Models to files: every file checked, and whole or not there."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlae.v1 import models_pb2 as pb
from dlae_client.errors import DataLost, LocalFileError, NotFound

Chunks = Callable[[str], Iterable[pb.FetchModelResponse]]


def fetch_file(model: pb.Model, name: str, chunks: Chunks, path: Path, overwrite: bool) -> Path:
    """Writes one file of a model; missing folders on the way to it are made.

    Raises:
        NotFound: The model has no such file.
        LocalFileError: The destination exists or cannot be written.
        DataLost: What came is not what the server has.
    """
    entries = {file.name: file for file in model.files if file.name == name}
    if not entries:
        message = f"the model {model.name}@{model.version} has no file '{name}'"
        raise NotFound(message, "FILE_NOT_FOUND")
    _require_free(path, overwrite)
    with _writing(path) as temporary:
        _receive(chunks(name), {name: temporary}, entries)
        temporary.replace(path)
    return path


def fetch_folder(model: pb.Model, chunks: Chunks, path: Path, overwrite: bool) -> Path:
    """Writes all files of a model into a folder.

    Raises:
        LocalFileError: The destination exists or cannot be written, or holds other things than a
            model, which replacing it would destroy.
        DataLost: What came is not what the server has.
    """
    _require_free(path, overwrite)
    entries = {file.name: file for file in model.files}
    for name in entries:
        if name in ("", ".", "..") or Path(name).name != name:
            raise DataLost(f"the server named a file '{name[:80]}', which is no plain name", "NAME")
    with _writing(path) as temporary:
        _require_replaceable(path, set(entries))
        temporary.mkdir()
        _receive(chunks(""), {name: temporary / name for name in entries}, entries)
        _replace_folder(path, temporary)
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
def _writing(path: Path) -> Iterator[Path]:
    """Gives a name beside the destination; nothing stays under it."""
    temporary = _sibling(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(path.parent)
    except OSError as error:
        raise LocalFileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        _remove(temporary)


def _sibling(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


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
    old = _sibling(path)
    path.replace(old)
    try:
        new.replace(path)
    except OSError:
        old.replace(path)
        raise
    _remove(old)


def _receive(
    chunks: Iterable[pb.FetchModelResponse],
    paths: dict[str, Path],
    entries: dict[str, pb.ModelFile],
) -> None:
    """Writes files as their chunks come and checks length and checksum of each."""
    digests = {name: hashlib.sha256() for name in paths}
    lengths = dict.fromkeys(paths, 0)
    for path in paths.values():
        path.touch()
    for chunk in chunks:
        name = chunk.file
        if name not in paths or chunk.offset != lengths[name]:
            raise DataLost(f"the server sent a piece of '{name[:80]}' out of order", "ORDER")
        digests[name].update(chunk.data)
        lengths[name] += len(chunk.data)
        with paths[name].open("ab") as file:
            file.write(chunk.data)
    for name, entry in entries.items():
        if (lengths[name], digests[name].hexdigest()) != (entry.size_bytes, entry.sha256):
            message = f"{name} arrived damaged: its checksum is not the server's; fetch again"
            raise DataLost(message, "CHECKSUM")
    for path in paths.values():
        _sync(path)


def _sync(path: Path) -> None:
    """Has the disk take what was written to a file or folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
