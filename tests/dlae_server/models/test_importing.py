"""Imports: what comes is checked, and what fails leaves nothing behind."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dlae.v1.models_pb2 import ImportModelHeader, Model, StartImportRequest
from dlae_core.errors import DlaeError, IncompatibleArtifact
from dlae_server.errors import InvalidRequest, InvalidStream, QueueFull
from dlae_server.jobs.journal import Journal
from dlae_server.metrics import Metrics
from dlae_server.models.arriving import sweep_parts
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


def begun(folder: Path, request: StartImportRequest, project: str = "default") -> int:
    """Returns how much of a file is there."""
    data = folder / "server"
    settings = Settings("127.0.0.1:0", data, (data,), None)
    journal = Journal(settings, Metrics())
    try:
        return Importer(settings, journal).begun(request, project)
    finally:
        asyncio.run(journal.close())


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


def test_an_import_that_broke_off_goes_on_where_it_ended(tmp_path: Path) -> None:
    """A server that is started anew has the part still."""
    with pytest.raises(InvalidStream, match="expected 7000 bytes, got 3996"):
        stored(tmp_path, header(), content=CONTENT[:3996])
    wanted = StartImportRequest(sha256=header().sha256, size_bytes=len(CONTENT))
    assert begun(tmp_path, wanted) == 3996
    # What another project has sent is nothing to this one, nor a file of another length.
    assert begun(tmp_path, wanted, "other") == 0
    assert begun(tmp_path, StartImportRequest(sha256=wanted.sha256, size_bytes=9)) == 0
    with pytest.raises(InvalidStream, match="expected the bytes from position 3996, got 5000"):
        stored(tmp_path, header(offset=5000), content=CONTENT[5000:])
    (model,) = stored(tmp_path, header(offset=3996), content=CONTENT[3996:])
    assert model.version == 1
    assert begun(tmp_path, wanted) == 0
    assert list((tmp_path / "server" / "imports").iterdir()) == []


def test_an_import_from_the_beginning_replaces_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidStream):
        stored(tmp_path, header(), content=b"other" * 99)
    assert stored(tmp_path, header())[0].version == 1


def test_a_damaged_file_is_sent_anew(tmp_path: Path) -> None:
    with pytest.raises(InvalidStream, match="arrived damaged"):
        stored(tmp_path, header(), content=b"x" * len(CONTENT))
    wanted = StartImportRequest(sha256=header().sha256, size_bytes=len(CONTENT))
    assert begun(tmp_path, wanted) == 0


def test_what_nobody_goes_on_with_is_swept(tmp_path: Path) -> None:
    with pytest.raises(InvalidStream):
        stored(tmp_path, header(), content=CONTENT[:999])
    sweep_parts(tmp_path / "server")
    assert len(list((tmp_path / "server" / "imports").iterdir())) == 1
    sweep_parts(tmp_path / "server", kept_seconds=-1)
    assert list((tmp_path / "server" / "imports").iterdir()) == []


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
