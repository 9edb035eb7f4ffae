"""Models in the registry: from bundle to message, and references to them."""

import re
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from dlae.v1 import models_pb2, training_pb2
from dlae_core.bundle import MANIFEST_FILE, Bundle, FileEntry, Manifest
from dlae_core.errors import CorruptArtifact
from dlae_server.errors import InvalidRequest

# Number of a version, or an alias of one; None: the newest.
Version: TypeAlias = int | str | None

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# It begins with a letter: what begins with a digit is a number.
ALIAS = re.compile(r"[a-z][a-z0-9._-]{0,31}")
REFERENCE = re.compile(rf"({NAME.pattern})(?:@(?:([1-9][0-9]{{0,8}})|({ALIAS.pattern})))?")


def checked_name(name: str) -> str:
    """Returns a name that is allowed.

    Raises:
        InvalidRequest: It is not.
    """
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            "expected a model name of 1 to 64 lower-case letters, digits, '-', '_' and '.', "
            f"starting with a letter or digit, got '{name[:80]}'"
        )
    return name


def checked_alias(alias: str) -> str:
    """Returns an alias that is allowed.

    Raises:
        InvalidRequest: It is not.
    """
    if not ALIAS.fullmatch(alias):
        raise InvalidRequest(
            "expected an alias of 1 to 32 lower-case letters, digits, '-', '_' and '.', starting "
            f"with a letter, got '{alias[:80]}'"
        )
    return alias


def parse_reference(reference: str) -> tuple[str, Version]:
    """Returns name and version of `name`, `name@version` or `name@alias`.

    Raises:
        InvalidRequest: It is none of them.
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise InvalidRequest(
            f"expected a model as 'name', 'name@version' or 'name@alias', got '{reference[:80]}'"
        )
    return match[1], int(match[2]) if match[2] else match[3]


def model_from_bundle(path: Path, job: training_pb2.Job) -> models_pb2.Model:
    """Returns a bundle as a model without a version.

    Raises:
        CorruptArtifact: The bundle is damaged.
    """
    manifest = Bundle.open(path).manifest
    try:
        return _model(path, manifest, job)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CorruptArtifact.of_file(Path(MANIFEST_FILE), "is not a manifest") from error


def _model(path: Path, manifest: Manifest, job: training_pb2.Job) -> models_pb2.Model:
    created = Timestamp()
    created.FromDatetime(datetime.fromisoformat(manifest.create_time))
    files = {**manifest.files, MANIFEST_FILE: FileEntry.of(path / MANIFEST_FILE)}
    return models_pb2.Model(
        name=job.name,
        project=job.project,
        create_time=created,
        job_id=job.id,
        family=manifest.family,
        input_shape=manifest.input_shape,
        output_shape=manifest.output_shape,
        classes=manifest.classes,
        parameters=manifest.parameters,
        metrics=manifest.metrics,
        files=[
            models_pb2.ModelFile(name=name, size_bytes=entry.size_bytes, sha256=entry.sha256)
            for name, entry in sorted(files.items())
        ],
        dlae_version=manifest.dlae_version,
        keras_version=manifest.keras_version,
        seed=manifest.seed,
        data={
            role: models_pb2.TrainingFile(sha256=file["sha256"], samples=file["samples"])
            for role, file in manifest.data.items()
        },
    )
