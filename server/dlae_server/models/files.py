"""Folders of bundles: handed out, removed, and tidied up after a crash."""

import asyncio
import hashlib
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from dlae.v1.models_pb2 import Model, ModelFile
from dlae_core.errors import CorruptArtifact
from dlae_server.jobs.journal import Journal
from dlae_server.models.arriving import sweep_parts
from dlae_server.models.objects import collect

CHUNK_BYTES = 1 << 20
# Beginnings of names of folders that nobody is told of: on its way out, on its way in.
LEAVING, COMING = ".leaving-", ".coming-"

LOG = logging.getLogger(__name__)


def models_folder(data_dir: Path) -> Path:
    """Returns the folder of all bundles."""
    return data_dir / "models"


async def chunks(path: Path, file: ModelFile, offset: int) -> AsyncIterator[bytes]:
    """Yields a file from a position on, in pieces; one empty piece where there is nothing.

    The bytes are compared with the checksum as they are read, where all of them are.

    Raises:
        CorruptArtifact: The file cannot be read, or is not what was stored.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as content:
            if path.stat().st_size != file.size_bytes:
                raise _changed(path)
            content.seek(offset)
            done = 0
            while (data := await asyncio.to_thread(content.read, CHUNK_BYTES)) or not done:
                yield data
                await asyncio.to_thread(digest.update, data)
                done += max(len(data), 1)
                if not data:
                    break
    except OSError as error:
        raise CorruptArtifact.of_file(path, "cannot be read") from error
    if not offset and digest.hexdigest() != file.sha256:
        raise _changed(path)


def small_file(folder: Path, model: Model, name: str) -> str:
    """Returns a text file of a model without reading the large ones.

    Of those it is checked that they are there, as long as they should be; their content is checked
    where it is read: when they are loaded, fetched or described.

    Raises:
        CorruptArtifact: The file is damaged, or another is missing or has another length.
    """
    text = ""
    for file in model.files:
        path = folder / file.name
        try:
            size = path.stat().st_size
            content = path.read_bytes() if file.name == name else b""
        except OSError as error:
            raise CorruptArtifact.of_file(path, "cannot be read") from error
        if size != file.size_bytes:
            raise _changed(path)
        if file.name == name:
            if hashlib.sha256(content).hexdigest() != file.sha256:
                raise _changed(path)
            text = content.decode("utf-8")
    return text


def remove_bundle(data_dir: Path, model: Model) -> None:
    """Removes the files of a deleted model; what a crash leaves of them goes at the next start."""
    folder, bundle = models_folder(data_dir), model.bundle
    leaving = folder / f"{LEAVING}{bundle}"
    try:
        (folder / bundle).replace(leaving)
    except OSError as error:
        LOG.warning("the files of %s cannot be removed: %s", bundle, error)
    shutil.rmtree(leaving, ignore_errors=True)
    (folder / f"{bundle}.log").unlink(missing_ok=True)
    collect(data_dir, model.files)


async def sweep(data_dir: Path, journal: Journal) -> None:
    """Removes what a crash has left among the bundles, before any job runs.

    A folder goes if its name says so, or if it is of a job of the store that has no model, or of an
    import that was still under way: it was about to be told of, or had just been deleted. A folder
    that the store knows nothing of stays: perhaps the store is an older one than the folder.
    """
    await asyncio.to_thread(sweep_parts, data_dir)
    there = await asyncio.to_thread(_names, models_folder(data_dir))
    coming = {name.removeprefix(COMING) for name in there if name.startswith(COMING)}
    unknown = there - await journal.call(journal.store.bundles)
    # What says that an import was under way goes after its bundle.
    for name in sorted(unknown, key=lambda name: name.startswith(COMING)):
        passing = name.startswith((LEAVING, COMING)) or name in coming
        if passing or await journal.call(journal.store.has_job, name):
            LOG.info("removing %s, which is no model", name)
            await asyncio.to_thread(shutil.rmtree, models_folder(data_dir) / name, True)
        else:
            LOG.warning("%s in the folder of models is no model of this store", name)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()


def _changed(path: Path) -> CorruptArtifact:
    return CorruptArtifact.of_file(path, "is not what was written")
