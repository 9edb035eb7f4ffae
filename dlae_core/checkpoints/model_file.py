"""Networks as `.keras` files that hold neither times nor addresses: equal networks, equal files."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from dlae_core.bundle import written_whole
from dlae_core.checkpoints.archive import Archive, new_entry, write_archive
from dlae_core.errors import StorageFailed
from dlae_core.precision import as_single


def write_model(path: Path, model: keras.Model) -> None:
    """Writes a network so that it is there, on the disk, whole, or not at all.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    with (
        _saved(path, model) as saved,
        written_whole(path) as file,
        zipfile.ZipFile(file, "w") as writer,
    ):
        _copy(saved, writer)


def write_checkpoint(path: Path, model: keras.Model, archive: Archive) -> None:
    """Writes a network together with the state of its training, as `write_model` does.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    with _saved(path, model) as saved:
        write_archive(path, archive, lambda writer: _copy(saved, writer))


@contextmanager
def _saved(path: Path, model: keras.Model) -> Iterator[Path]:
    """Gives a file beside `path` as Keras writes it."""
    saved = path.with_name(f".{path.stem}.saving.keras")
    try:
        with as_single(model):
            model.save(saved)
        yield saved
    except OSError as error:
        raise StorageFailed(f"cannot save the model: {error.strerror or error}") from error
    finally:
        saved.unlink(missing_ok=True)


def _copy(saved: Path, writer: zipfile.ZipFile) -> None:
    """Copies the entries of a `.keras` file, its texts without what differs from run to run."""
    with zipfile.ZipFile(saved) as reader:
        for info in reader.infolist():
            with reader.open(info) as content, new_entry(writer, info.filename) as entry:
                if info.filename.endswith(".json"):
                    entry.write(json.dumps(_timeless(json.load(content), {})).encode())
                else:
                    shutil.copyfileobj(content, entry, 1 << 20)


def _timeless(value: Any, known: dict[int, int]) -> Any:
    """Returns JSON without the date, and with numbers in place of addresses of objects."""
    if isinstance(value, list):
        return [_timeless(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _timeless(item, known) for key, item in value.items() if key != "date_saved"}
    if isinstance(address := found.get("shared_object_id"), int):
        found["shared_object_id"] = known.setdefault(address, len(known))
    return found
