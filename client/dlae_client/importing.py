"""A model of somebody else, sent to a server in pieces."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlae.v1 import models_pb2 as pb
from dlae_client.configuration import read_text
from dlae_client.errors import LocalFileError

CHUNK_BYTES = 1 << 20
# Ending of a file -> its format, the longest first.
FORMATS = {".weights.h5": "weights.h5", ".keras": "keras", ".h5": "h5", ".hdf5": "h5"}


def import_header(
    path: Path, configuration: str | Path | Mapping[str, Any]
) -> pb.ImportModelHeader:
    """Returns what an import begins with, but for name and signature.

    Raises:
        LocalFileError: A file cannot be read, or the model has another ending than models have.
    """
    form = next((FORMATS[ending] for ending in FORMATS if path.name.endswith(ending)), "")
    if not form:
        raise LocalFileError(f"expected a model ending in .keras or .h5, got {path.name}")
    digest, length = hashlib.sha256(), 0
    for block in _blocks(path):
        digest.update(block)
        length += len(block)
    return pb.ImportModelHeader(
        config_json=_without_paths(configuration),
        format=form,
        size_bytes=length,
        sha256=digest.hexdigest(),
    )


def import_requests(path: Path, header: pb.ImportModelHeader) -> Iterator[pb.ImportModelRequest]:
    """Yields an import."""
    yield pb.ImportModelRequest(header=header)
    for block in _blocks(path):
        yield pb.ImportModelRequest(data=block)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(CHUNK_BYTES):
                yield block
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror or error}") from error


def _without_paths(configuration: str | Path | Mapping[str, Any]) -> str:
    """Returns a configuration as text, without paths: they may name patients."""
    if isinstance(configuration, Mapping):
        sections = dict(configuration)
    else:
        text = read_text(Path(configuration).expanduser())
        try:
            sections = json.loads(text)
        except (ValueError, RecursionError):
            return text  # the server says what is wrong with it
    if isinstance(sections, dict):
        sections.pop("paths", None)
    return json.dumps(sections)
