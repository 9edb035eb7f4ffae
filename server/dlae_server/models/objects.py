"""Files of bundles kept once, by their content, however many models have them.

    objects/ab/abcd...      a file, named by its SHA-256
    models/BUNDLE/NAME      another link to it

A bundle has links of its own to all its files: whatever becomes of `objects`, a model is whole. The
number of links is the number of references, and whoever removes an object that nothing refers to
cannot take a file away from a model. Where links cannot be made, files stay files.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from dlae.v1.models_pb2 import Model, ModelFile
from dlae_core.bundle import file_sha256
from dlae_core.errors import StorageFailed
from dlae_server.errors import ShuttingDown
from dlae_server.jobs.journal import Journal

LOG = logging.getLogger(__name__)
# Nobody writes through one link what another model has too.
READ_ONLY = 0o444
PAGE = 500
_LINKING = threading.Lock()


def objects_folder(data_dir: Path) -> Path:
    """Returns the folder of all objects."""
    return data_dir / "objects"


def object_file(data_dir: Path, sha256: str) -> Path:
    """Returns the place of an object."""
    return objects_folder(data_dir) / sha256[:2] / sha256


def all_objects(data_dir: Path) -> Iterator[Path]:
    """Yields all objects, and what a crash has left of links."""
    yield from sorted(objects_folder(data_dir).glob("*/*"))


def share(data_dir: Path, folder: Path, files: Iterable[ModelFile]) -> None:
    """Has files of a bundle be links to objects, which are made where there are none.

    Args:
        data_dir: The server's folder.
        folder: The bundle.
        files: Those of its files whose checksums are known.
    """
    for file in files:
        path = folder / file.name
        try:
            with _LINKING:
                _share(path, object_file(data_dir, file.sha256))
        except OSError as error:
            # Another disk, a file system without links, or with as many as it takes.
            LOG.debug("%s is not shared: %s", path, error.strerror)


def collect(data_dir: Path, files: Iterable[ModelFile]) -> None:
    """Removes the objects of files of a deleted model, but for those that another model has."""
    for file in files:
        _remove_unused(object_file(data_dir, file.sha256))


async def tidy(data_dir: Path, journal: Journal) -> None:
    """Removes objects that a crash has left, and shares files that an earlier version wrote."""
    await asyncio.to_thread(_sweep, data_dir)
    token, more = "", True
    while more:
        try:
            models, token = await journal.call(journal.store.models, PAGE, token)
        except (ShuttingDown, StorageFailed) as error:
            LOG.info("files of models are not shared: %s", error)
            return
        for model in models:
            await asyncio.to_thread(_take_over, data_dir, model)
        more = bool(token)


def _take_over(data_dir: Path, model: Model) -> None:
    share(data_dir, data_dir / "models" / model.bundle, model.files)


def _share(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        path.chmod(READ_ONLY)
        _link(path, place)
    elif not path.samefile(place):
        if file_sha256(place) == place.name:
            _link(place, path)
        else:
            # A damaged one is not handed on; this file takes its place.
            path.chmod(READ_ONLY)
            _link(path, place)


def _link(source: Path, target: Path) -> None:
    """Has a name mean a file, from one instant to the next."""
    passing = target.with_name(f".{target.name}.linking")
    passing.unlink(missing_ok=True)
    os.link(source, passing)
    passing.replace(target)


def _sweep(data_dir: Path) -> None:
    for path in all_objects(data_dir):
        if path.name.startswith("."):
            path.unlink(missing_ok=True)
        else:
            _remove_unused(path)


def _remove_unused(path: Path) -> None:
    try:
        if path.stat().st_nlink == 1:
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        LOG.warning("%s cannot be removed: %s", path, error.strerror)
