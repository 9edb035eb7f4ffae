"""References to data files that the server keeps, and files in their place."""

import re
from dataclasses import dataclass
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae.v1.datasets_pb2 import Dataset
from dlae_core.config.references import DATASET, INFERENCE, SHA256, is_dataset_reference
from dlae_core.errors import Violation
from dlae_server.access.projects import DEFAULT
from dlae_server.audit.recording import noted_data
from dlae_server.datasets.files import dataset_file
from dlae_server.datasets.roots import CONTINUED, TRAINING_PATHS
from dlae_server.errors import DatasetNotFound, InvalidRequest
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import NAME

HEX = re.compile(r"[0-9a-f]{64}")
_NAMED = re.compile(rf"{DATASET}({NAME.pattern})(?:@([1-9][0-9]{{0,8}}))?")
# Of sessions of inference, and of those that go on from a checkpoint besides.
_INFERENCE_PATHS = {"test_x": "test_X", "load_model": "load_model"}
_CONTINUED_PATHS = {"load_checkpoint": "load_checkpoint"}
# Where no samples are wanted, what is; and how it is called.
_WANTED = {
    "split_groups": Dataset.KIND_GROUPS,
    "load_model": Dataset.KIND_NETWORK,
    "load_checkpoint": Dataset.KIND_NETWORK,
}
_CALLED = {
    Dataset.KIND_SAMPLES: "samples",
    Dataset.KIND_GROUPS: "a table of groups",
    Dataset.KIND_NETWORK: "a network",
}


@dataclass(frozen=True)
class Reference:
    """What a reference says.

    Attributes:
        sha256: The content; empty where it is named.
        name: The name; empty where the content is given.
        version: Version of the name; None: the newest.
    """

    sha256: str = ""
    name: str = ""
    version: int | None = None

    def __str__(self) -> str:
        if self.sha256:
            return f"{SHA256}{self.sha256}"
        return f"{DATASET}{self.name}" + (f"@{self.version}" if self.version else "")


def parse_dataset(text: str) -> Reference:
    """Returns what `dataset:NAME`, `dataset:NAME@VERSION` or `sha256:HEX` says.

    Raises:
        InvalidRequest: It is none of them.
    """
    if text.startswith(SHA256) and HEX.fullmatch(text.removeprefix(SHA256)):
        return Reference(sha256=text.removeprefix(SHA256))
    match = _NAMED.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            "expected data as 'dataset:NAME', 'dataset:NAME@VERSION' or 'sha256:' and 64 "
            f"hexadecimal digits, got '{text[:80]}'"
        )
    return Reference(name=match[1], version=int(match[2]) if match[2] else None)


async def data_in_place(
    config: Config, journal: Journal, data_dir: Path, project: str = DEFAULT
) -> list[Violation]:
    """Puts a project's file in the place of every reference; returns what is wrong with others.

    Raises:
        ShuttingDown: The store is closed.
        StorageFailed: The store cannot be read.
    """
    found: list[Violation] = []
    for field, key in _paths_of(config.config_file.type_signal).items():
        text = getattr(config.paths, field)
        if not is_dataset_reference(text):
            continue
        try:
            dataset = await journal.call(journal.store.dataset, parse_dataset(text), project)
        except (InvalidRequest, DatasetNotFound) as error:
            found.append(Violation(f"paths.{key}", "DATASET_NOT_FOUND", str(error)))
            continue
        found += _misplaced(text, key, dataset)
        noted_data(key, dataset.sha256)
        setattr(config.paths, field, str(dataset_file(data_dir, dataset.sha256)))
    return found


def _paths_of(session: str) -> dict[str, str]:
    """Returns the files that a session reads: fields of the message, and their spelling."""
    if session == INFERENCE:
        return _INFERENCE_PATHS
    return TRAINING_PATHS | (_CONTINUED_PATHS if session == CONTINUED else {})


def _misplaced(text: str, key: str, dataset: Dataset) -> list[Violation]:
    wanted, kind = _WANTED.get(key, Dataset.KIND_SAMPLES), dataset.kind or Dataset.KIND_SAMPLES
    if kind == wanted:
        return []
    message = f"expected {_CALLED[wanted]}, but '{text}' is {_CALLED[kind]}"
    return [Violation(f"paths.{key}", "UNUSABLE_DATASET", message)]
