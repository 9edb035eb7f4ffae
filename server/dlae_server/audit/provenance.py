"""Where a model or a prediction comes from, in a document that a log proves.

A document names a record of the log, as `record`: SEQ:HASH. What it says besides is true where the
record says the same, and the record is where the log has it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlae.v1.models_pb2 import Model
from dlae_core.bundle import CONFIG_FILE, MANIFEST_FILE
from dlae_server.audit.reading import records
from dlae_server.audit.records import BadRecord, Position, Record, opened
from dlae_server.audit.verifying import Finding
from dlae_server.errors import InvalidRequest

FORMAT = 1
# What a model is made of, as its record and its document say it.
OF_MODEL = (
    *("name", "job", "model_sha256", "config_sha256", "data", "parent", "seed"),
    *("dlae_version", "keras_version", "project"),
)
OF_PREDICTION = (
    *("model", "model_sha256", "input_sha256", "input", "options"),
    *("output_kind", "output_sha256", "output", "engine", "precision", "request"),
)


def facts_of(model: Model) -> dict[str, Any]:
    """Returns what is recorded of a model that is about to be stored."""
    hashes = {file.name: file.sha256 for file in model.files}
    told = {
        "name": model.name,
        "job": model.job_id,
        "model_sha256": hashes.get(MANIFEST_FILE, ""),
        "config_sha256": hashes.get(CONFIG_FILE, ""),
        "data": {role: file.sha256 for role, file in sorted(model.data.items())},
        "parent": model.parent,
        "seed": model.seed,
        "dlae_version": model.dlae_version,
        "keras_version": model.keras_version,
        "project": str(getattr(model, "project", "")),
    }
    return {name: value for name, value in told.items() if value not in ("", {})}


def model_document(model: Model, source: Path) -> dict[str, Any]:
    """Returns where a model comes from, with the records of it.

    Args:
        model: The model as the store has it.
        source: The data folder.

    Raises:
        CannotStart: There is no log.
    """
    facts = facts_of(model)
    reference, digest = f"{model.name}@{model.version}", facts["model_sha256"]
    made, others = None, []
    for record in records(source):
        if record.facts.get("what") == "model" and record.facts.get("model_sha256") == digest:
            made = record
        elif record.facts.get("model_sha256") == digest and _is_change(record):
            others.append(record)
    return {
        "format": FORMAT,
        "model": reference,
        **facts,
        "created": model.create_time.ToJsonString(),
        # Models of before there was a log have none.
        "record": str(made.position) if made else None,
        "records": [one.line for one in (*([made] if made else ()), *others)],
    }


def read_document(text: str) -> Any:
    """Returns a document.

    Raises:
        InvalidRequest: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("expected a document of JSON, got what cannot be read") from error


def positions(document: Any) -> list[Position]:
    """Returns the positions in the chain that a document names.

    Raises:
        InvalidRequest: It names none, or what is no position.
    """
    found = [Position.parsed(part["record"]) for part in _parts(document) if part.get("record")]
    if not found:
        raise InvalidRequest(
            "expected a document that names a record of the log as 'record', got none: the model "
            "or prediction was not recorded"
        )
    return found


def differences(document: Any, source: Path) -> list[Finding]:
    """Returns where a document says something else than the log.

    Raises:
        InvalidRequest: It names no record.
        CannotStart: There is no log.
    """
    wanted = {position.seq: position for position in positions(document)}
    there = {one.position.seq: one for one in records(source) if one.position.seq in wanted}
    findings = []
    for seq, position in wanted.items():
        if seq not in there or there[seq].position != position:
            findings.append(Finding(f"record {seq}", "is not the one that the document names"))
    found = [there[seq] for seq in wanted if seq in there]
    for part in _parts(document):
        findings += _untrue(part.get("records", []))
        # What is said around one record is said of it.
        for record in found if len(wanted) == 1 else ():
            findings += _unlike(part, record)
            findings += _other_output(part, record)
    return findings


def _unlike(part: dict[str, Any], record: Record) -> Iterator[Finding]:
    about = OF_MODEL if record.facts.get("what") == "model" else OF_PREDICTION
    for name in about:
        value, told = part.get(name), record.facts.get(name, "")
        if value not in (None, "") and type(value) is type(told) and value != told:
            yield Finding(name, f"is {value} in the document, and {told or 'nothing'} in the log")


def _other_output(part: dict[str, Any], record: Record) -> Iterator[Finding]:
    """Yields where a stored answer holds another output than the one that was recorded."""
    output = part.get("output")
    if not isinstance(output, dict) or "output_sha256" not in record.facts:
        return
    try:
        data = base64.b64decode(str(output.get("data", "")), validate=True)
    except ValueError:
        data = b""
    if hashlib.sha256(data).hexdigest() != record.facts["output_sha256"]:
        yield Finding("output", "has other bytes in the document than the log says")


def _untrue(lines: Any) -> Iterator[Finding]:
    for line in lines if isinstance(lines, list) else ():
        try:
            opened(str(line).encode())
        except BadRecord as error:
            yield Finding("records", f"of the document: one {error}")


def _is_change(record: Record) -> bool:
    call = str(record.facts.get("call", ""))
    return call.partition("/")[2] in ("SetAlias", "RollBackAlias", "RemoveAlias", "DeleteModel")


def _parts(document: Any) -> Iterator[dict[str, Any]]:
    """Yields a document and the objects in it, with names as the log has them."""
    if isinstance(document, list):
        for one in document:
            yield from _parts(one)
    elif isinstance(document, dict):
        # Messages of the contract are written in JSON as `inputSha256`.
        yield {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", n).lower(): v for n, v in document.items()}
        for value in document.values():
            yield from _parts(value)
