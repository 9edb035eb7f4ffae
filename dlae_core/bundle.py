"""A trained model on disk.

    model.keras     opens with `keras.models.load_model` where DLAE is not installed
    model.onnx      the same for other engines; or model.xml, model.bin where ONNX cannot say it
    int8.onnx       the same in 8 bits, where that was asked for and accepted
    config.json     the configuration, canonical, defaults filled in
    history.csv     one line per epoch
    split.json      which samples were trained on and which validated, by their numbers
    manifest.json   what the model is, where it comes from, and a checksum of every other file

The manifest is written last: a folder without one is no bundle. Nothing names a path of the
training data, nor the groups by which they were split: files are known by their content hashes.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, StorageFailed

FORMAT = 1
MODEL_FILE = "model.keras"
CONFIG_FILE = "config.json"
HISTORY_FILE = "history.csv"
SPLIT_FILE = "split.json"
MANIFEST_FILE = "manifest.json"

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """Length and SHA-256 (hexadecimal) of a file."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "FileEntry":
        """Returns the entry of a file as it is now."""
        return cls(path.stat().st_size, file_sha256(path))


@dataclass(frozen=True)
class Manifest:
    """What a bundle is and where it comes from.

    Attributes:
        format: Version of the bundle's layout.
        dlae_version: Version that trained it.
        keras_version: Version of Keras that saved it.
        create_time: ISO 8601, UTC.
        family: `CNN`, `FCN`, `BBD`, `pix2pix` or `cyclegan`.
        input_shape: One image as the caller gives it, (*space, channels).
        output_shape: One output of the network.
        classes: Number of classes; 0 for regression.
        parameters: Number of weights.
        metrics: Final metrics.
        seed: Seed of everything random.
        preprocessing: Statistics of the training data that prediction needs.
        data: Per role (`train_X`, ...) the content hash and the number of samples.
        files: Checksums of the other files.
        engines: Per engine besides TensorFlow, which file it runs and how far its output was from
            Keras', or why it is refused; see `engines/exporting.py`. Older bundles have none.
        precisions: Per precision besides float32 that was asked for, which engine runs which file
            in it and how it did on validation samples, or why it is refused; see
            `training/accepting.py`. Older bundles have none.
    """

    format: int
    dlae_version: str
    keras_version: str
    create_time: str
    family: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    classes: int
    parameters: int
    metrics: dict[str, float]
    seed: int
    preprocessing: dict[str, Any]
    data: dict[str, dict[str, Any]]
    files: dict[str, FileEntry]
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    precisions: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Reads a manifest.

        Raises:
            IncompatibleArtifact: It is of another version.
            CorruptArtifact: It is not a manifest.
        """
        try:
            values = json.loads(text)
            found = values["format"]
            if found != FORMAT:
                raise IncompatibleArtifact(
                    f"expected a model bundle of format {FORMAT}, got format {found}; "
                    "use the version of DLAE that made it"
                )
            values["input_shape"] = tuple(values["input_shape"])
            values["output_shape"] = tuple(values["output_shape"])
            values["files"] = {
                Path(name).name: FileEntry(**file) for name, file in values["files"].items()
            }
            values.setdefault("engines", {})
            values.setdefault("precisions", {})
            return cls(**{one.name: values[one.name] for one in fields(cls)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptArtifact.of_file(Path(MANIFEST_FILE), "is not a manifest") from error

    def to_json(self) -> str:
        """Returns the manifest as text."""
        return json.dumps(asdict(self), indent=1) + "\n"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Opens a bundle and verifies every file against the manifest.

        Raises:
            CorruptArtifact: A file is missing, unreadable or not what was written.
            IncompatibleArtifact: The bundle is of another version.
        """
        manifest = Manifest.from_json(_read(path / MANIFEST_FILE))
        for name, entry in manifest.files.items():
            _verify(path / name, entry)
        return cls(path, manifest)

    def read(self, name: str) -> str:
        """Returns the text of a file of the bundle."""
        return _read(self.path / name)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> Manifest:
    """Completes a bundle: checksums its files and writes the manifest, last and atomically.

    Args:
        folder: Holds all other files already.
        facts: Every attribute of `Manifest` but `format` and `files`.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST_FILE)
    files = {name: FileEntry.of(folder / name) for name in names}
    manifest = Manifest(format=FORMAT, files=files, **facts)
    write_text(folder / MANIFEST_FILE, manifest.to_json())
    return manifest


def write_text(path: Path, text: str) -> None:
    """Writes a file so that it is either the old one or the new one, whole.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    with written_whole(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Gives a file to write that takes its place, on the disk, when it is complete.

    Raises:
        StorageFailed: The disk is full or cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name}.writing")
    try:
        with temporary.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageFailed(f"cannot write {path.name}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def sync_folder(path: Path) -> None:
    """Has the disk take the names in a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptArtifact.of_file(path, "cannot be read") from error


def _verify(path: Path, entry: FileEntry) -> None:
    try:
        whole = FileEntry.of(path) == entry
    except OSError as error:
        raise CorruptArtifact.of_file(path, "cannot be read") from error
    if not whole:
        raise CorruptArtifact.of_file(path, "is not what was written")
