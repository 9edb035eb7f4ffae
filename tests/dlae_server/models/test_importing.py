"""Imports: what comes is checked, and what fails leaves nothing behind."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dlae.v1.models_pb2 import ImportModelHeader, Model
from dlae_core.errors import DlaeError, IncompatibleArtifact
from dlae_server.errors import InvalidRequest, InvalidStream, QueueFull
from dlae_server.jobs.journal import Journal
from dlae_server.metrics import Metrics
from dlae_server.models.importing import Importer
from dlae_server.settings import Settings
from dlae_server.upkeep.checking import check
from tests.dlae_server.fakes import write_bundle

CONTENT = b"weights" * 1000
# Does what stands in the configuration, without TensorFlow.
FAKE = """
import json, os, shutil, sys
task = json.loads(sys.stdin.readline())
assert open(task["file"], "rb").read() == b"weights" * 1000
if task["config"] == "die":
    os.kill(os.getpid(), 9)
if task["config"] == "fail":
    print(json.dumps({"failure": {"reason": "INCOMPATIBLE_ARTIFACT", "message": "other weights"}}))
else:
    shutil.copytree(sys.argv[1], task["bundle"], dirs_exist_ok=True)
    print(json.dumps({"result": {"report": "all of it"}}))
"""


def header(**changes: object) -> ImportModelHeader:
    facts = {
        "name": "m",
        "config_json": "succeed",
        "format": "h5",
        "size_bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "who": "ada",
        "why": "ours of 2019",
    }
    return ImportModelHeader(**{**facts, **changes})


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 999):
        yield content[start : start + 999]


def stored(folder: Path, *headers: ImportModelHeader, content: bytes = CONTENT) -> list[Model]:
    """Imports one after the other; returns the models."""
    example = folder / "example"
    example.mkdir(exist_ok=True)
    write_bundle(example, "{}")
    data = folder / "server"
    data.mkdir(exist_ok=True)

    async def work() -> list[Model]:
        settings = Settings("127.0.0.1:0", data, (data,), None, free_bytes=0)
        journal = Journal(settings, Metrics())
        importer = Importer(settings, journal, (sys.executable, "-S", "-c", FAKE, str(example)))
        try:
            found = [await importer.store(one, pieces(content)) for one in headers]
            assert all(report == "all of it" for _, report in found)
            return [model for model, _ in found]
        finally:
            await journal.close()

    return asyncio.run(work())


def left(folder: Path) -> list[str]:
    models = folder / "server" / "models"
    return [path.name for path in models.iterdir() if path.is_dir()] if models.exists() else []


def test_an_import_is_the_next_version_and_is_told_of(tmp_path: Path) -> None:
    first, second = stored(tmp_path, header(), header(format="keras"))
    assert (first.version, second.version, first.job_id, first.family) == (1, 2, "", "FCN")
    assert sorted(left(tmp_path)) == sorted([first.bundle, second.bundle])
    assert check(tmp_path / "server") == []

    async def changes() -> list[tuple[str, str]]:
        data = tmp_path / "server"
        journal = Journal(Settings("127.0.0.1:0", data, (data,), None), Metrics())
        found, _ = await journal.call(journal.store.changes, "m", 1, "")
        await journal.close()
        return [(change.who, change.why) for change in found]

    assert asyncio.run(changes()) == [("ada", "ours of 2019")]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"name": "../m"}, InvalidRequest, "expected a model name"),
        ({"format": "pkl"}, InvalidRequest, "expected the format 'keras', 'weights.h5', 'h5'"),
        ({"sha256": "x"}, InvalidRequest, "SHA-256"),
        ({"size_bytes": 0}, InvalidRequest, "length"),
        ({"who": "a\nb"}, InvalidRequest, "one line"),
        ({"size_bytes": len(CONTENT) - 1}, InvalidStream, "got more"),
        ({"size_bytes": len(CONTENT) + 1}, InvalidStream, "expected 7001 bytes, got 7000"),
        ({"sha256": "0" * 64}, InvalidStream, "arrived damaged"),
        ({"config_json": "fail"}, IncompatibleArtifact, "other weights"),
        ({"config_json": "die"}, IncompatibleArtifact, "cannot be read: its process was killed"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing_behind(
    tmp_path: Path, change: dict[str, object], error: type[DlaeError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        stored(tmp_path, header(**change))
    assert left(tmp_path) == []


def test_a_second_import_waits_its_turn(tmp_path: Path) -> None:
    async def work() -> None:
        settings = Settings("127.0.0.1:0", tmp_path, (tmp_path,), None, free_bytes=0)
        journal = Journal(settings, Metrics())
        importer = Importer(settings, journal)
        going = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            going.set()
            await asyncio.sleep(60)
            yield b""

        first = asyncio.create_task(importer.store(header(), slow()))
        await going.wait()
        with pytest.raises(QueueFull, match="1 imports are waiting"):
            await importer.store(header(), pieces(CONTENT))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert not any((tmp_path / "models").iterdir())
        await journal.close()

    asyncio.run(work())
