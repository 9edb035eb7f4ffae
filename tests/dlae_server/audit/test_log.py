"""The log of a running server: groups, full disks, and processes that are killed."""

import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dlae_core.errors import StorageFailed
from dlae_server.audit import chain as chains
from dlae_server.audit import log as logs
from dlae_server.audit import segments
from dlae_server.audit.chain import Chain
from dlae_server.audit.log import Entry, Log
from dlae_server.audit.reading import records
from dlae_server.audit.recording import Audit
from dlae_server.audit.refusals import MOST, Refusals
from dlae_server.audit.verifying import verify
from tests.dlae_server.audit.chains import facts

KILLS = int(os.environ.get("DLAE_AUDIT_KILLS", "4"))
WRITER = """
import asyncio, sys
from pathlib import Path
from dlae_server.audit.chain import Chain
from dlae_server.audit.log import Entry, Log
async def main():
    log = Log(Chain(Path(sys.argv[1]), segment_bytes=2000))
    async def one(number):
        await log.written({"what": "call", "number": number})
        print(number, flush=True)
        log.add(Entry({"what": "call"}))
    number = int(sys.argv[2])
    while True:
        await asyncio.gather(*(one(number + more) for more in range(5)))
        number += 5
asyncio.run(main())
"""


def run(folder: Path, work: Callable[[Log], Awaitable[Any]], group_seconds: float = 0.05) -> Any:
    """Runs work with a log, which is closed in the end."""
    log = Log(Chain(folder), group_seconds)

    async def main() -> Any:
        return await work(log)

    try:
        return asyncio.run(main())
    finally:
        log.close()


def test_what_somebody_waits_for_is_on_the_disk_with_all_before_it(tmp_path: Path) -> None:
    async def work(log: Log) -> int:
        for number in range(3):
            log.add(Entry({"what": "call", "number": number}))
        position = await log.written({"what": "call", "number": 3})
        assert [one.facts["number"] for one in records(tmp_path)] == [0, 1, 2, 3]
        return position.seq

    assert run(tmp_path, work, group_seconds=60) == 4


def test_what_nobody_waits_for_is_written_soon_and_at_the_end(tmp_path: Path) -> None:
    async def work(log: Log) -> None:
        log.add(Entry({"what": "call", "number": 1}))
        end = time.monotonic() + 5
        while not (tmp_path / "audit" / "000001.jsonl").exists():
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        log.add(Entry({"what": "call", "number": 2}))

    run(tmp_path, work, group_seconds=0.02)
    assert [one.facts["number"] for one in records(tmp_path)] == [1, 2]


def test_many_that_wait_share_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []

    def counted(number: int, data: bytes) -> None:
        writes.append(number)
        segments.written(number, data)

    monkeypatch.setattr(chains, "written", counted)

    async def work(log: Log) -> None:
        await asyncio.gather(*(log.written(dict(facts(number))) for number in range(200)))

    run(tmp_path, work)
    assert verify(tmp_path).records == 200
    assert len(writes) < 50


def test_inputs_are_hashed_by_the_thread(tmp_path: Path) -> None:
    async def work(log: Log) -> None:
        await log.written({"what": "call"}, (b"ab", memoryview(b"cd")))

    run(tmp_path, work)
    (record,) = records(tmp_path)
    assert record.facts["input_sha256"] == hashlib.sha256(b"abcd").hexdigest()


def full(*given: object) -> None:
    raise OSError(28, "No space left on device")


def test_on_a_full_disk_calls_are_refused_and_what_was_done_is_recorded_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "RETRY_SECONDS", 0.01)

    async def work(log: Log) -> None:
        audit = Audit(log)
        with monkeypatch.context() as patch:
            patch.setattr(chains, "written", full)
            with pytest.raises(StorageFailed, match="No space left"):
                await audit.written({"what": "alias", "number": 1})
            await audit.did("model", number=2)
            with pytest.raises(StorageFailed, match="make room on the disk"):
                audit.require()
        while log.failure:
            await asyncio.sleep(0.01)
        audit.require()
        await audit.did("alias", number=3)

    run(tmp_path, work)
    assert [one.facts["number"] for one in records(tmp_path)] == [1, 2, 3]


def test_calls_go_on_unrecorded_only_where_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(logs, "MOST_WAITING", 5)

    async def work(log: Log) -> None:
        audit = Audit(log, is_strict=False)
        with monkeypatch.context() as patch:
            patch.setattr(chains, "written", full)
            assert await audit.written({"what": "alias", "number": 0}) is None
            audit.require()
            for number in range(1, 9):
                audit.add({"what": "alias", "number": number})
        while log.failure:
            await asyncio.sleep(0.01)

    run(tmp_path, work)
    told = [(one.facts["what"], one.facts.get("records", 0)) for one in records(tmp_path)]
    assert sum(count for _, count in told) + sum(what == "alias" for what, _ in told) == 9
    assert "lost" in [what for what, _ in told]


def test_too_many_refused_calls_are_counted() -> None:
    told: list[dict[str, Any]] = []

    async def work() -> None:
        refusals = Refusals(told.append, "UNAUTHENTICATED")
        for number in range(MOST + 30):
            refusals.add({"what": "call", "number": number})
        refusals.close()

    asyncio.run(work())
    assert len(told) == MOST + 1
    assert (told[-1]["what"], told[-1]["calls"]) == ("refusals", 30)


def test_no_acknowledged_record_is_lost_by_a_killed_process(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for kill in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(1_000_000 * kill)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            acknowledged.add(int(process.stdout.readline()))
            time.sleep(random.random() * 0.1)
            process.kill()
            # The last line may be torn as well.
            acknowledged |= {int(line) for line in process.stdout if line.endswith("\n")}
    Chain(tmp_path).close()
    Chain(tmp_path).append([{"what": "start"}])
    report = verify(tmp_path)
    assert report.findings == []
    assert acknowledged <= {one.facts.get("number") for one in records(tmp_path)}
    assert len(acknowledged) > KILLS
    assert json.loads((tmp_path / "audit" / "000001.jsonl").read_text().splitlines()[0])["seq"] == 1
