"""What a call was about, in identifiers and hashes only.

Taken are models by name, version and the hash of their manifest, jobs by their identifiers, data
files by their content, aliases. Names of files, of data and of users that a caller gives, labels
and texts are never looked at: they may hold the name of a patient.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from dlae_core.bundle import MANIFEST_FILE
from dlae_server.audit.records import HEX
from dlae_server.models.registry import ALIAS, REFERENCE

# Outcomes of calls that were about nothing: what they named may be anything.
NOTHING_THERE = frozenset({"NOT_FOUND", "INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED"})


def subject_of(message: Any) -> dict[str, Any]:
    """Returns what a request or an answer is about."""
    found: dict[str, Any] = {}
    if not isinstance(message, Message):
        return found
    for field, value in message.ListFields():
        if field.name in _TEXTS:
            found.update(_TEXTS[field.name](value))
        elif isinstance(value, Message) and value.DESCRIPTOR.full_name in _MESSAGES:
            found.update(_MESSAGES[value.DESCRIPTOR.full_name](value))
    return found


def model_facts(model: Any) -> dict[str, Any]:
    """Returns which model it is."""
    hashes = [file.sha256 for file in model.files if file.name == MANIFEST_FILE]
    version = f"@{model.version}" if model.version else ""
    return {
        "model": f"{model.name}{version}",
        **({"model_sha256": hashes[0]} if hashes else {}),
        **({"job": model.job_id} if model.job_id else {}),
    }


def _job(job: Any) -> dict[str, Any]:
    return {"job": job.id, **({"model": job.model} if job.model else {})}


def _dataset(dataset: Any) -> dict[str, Any]:
    return {"dataset_sha256": dataset.sha256}


def _text(name: str, allowed: Callable[[str], object]) -> Callable[[Any], dict[str, Any]]:
    """Returns what takes a text where it is of an allowed form."""

    def take(value: Any) -> dict[str, Any]:
        return {name: value} if isinstance(value, str) and allowed(value) else {}

    return take


def _model(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        return model_facts(value)
    return {"model": value} if REFERENCE.fullmatch(value) else {}


def _data(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        return _dataset(value)
    digest = value.removeprefix("sha256:")
    return {"dataset_sha256": digest} if HEX.fullmatch(digest) else {}


# Name of a field -> what is taken of it.
_TEXTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "job_id": _text("job", REFERENCE.fullmatch),
    "model": _model,
    "model_name": _model,
    "dataset": _data,
    "sha256": _data,
    "model_sha256": _text("model_sha256", HEX.fullmatch),
    "alias": _text("alias", ALIAS.fullmatch),
}
# Type of a message -> the same.
_MESSAGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "dlae.v1.Job": _job,
    "dlae.v1.Model": model_facts,
    "dlae.v1.Dataset": _dataset,
}
