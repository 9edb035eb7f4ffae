"""A worker that waits: it is used once, replaced when dead, and gone in time."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from dlae_server.jobs.process import TaskProcess
from dlae_server.jobs.reserve import Reserve
from dlae_server.settings import Settings

# Tells which process got which task.
PROGRAM = (
    "import json, os, sys; line = sys.stdin.readline();"
    "print(json.dumps({'pid': os.getpid(), 'task': json.loads(line)})) if line else None"
)
WORKER = (sys.executable, "-S", "-c", PROGRAM)


def _with_reserve(
    folder: Path, use: Callable[[Reserve], Awaitable[None]], seconds: float = 60
) -> None:
    async def run() -> None:
        settings = Settings("127.0.0.1:0", folder, (folder,), reserve_seconds=seconds)
        reserve = Reserve(settings, WORKER)
        try:
            await use(reserve)
        finally:
            await reserve.close()

    asyncio.run(run())


async def _served(reserve: Reserve, number: int) -> int:
    """Has a task done; returns the process that did it."""
    process = await reserve.start({"number": number})
    answers = [message async for message in process.messages()]
    await process.end()
    assert [answer["task"] for answer in answers] == [{"number": number}]
    return int(answers[0]["pid"])


def _waiting(reserve: Reserve) -> TaskProcess | None:
    return reserve._waiting


def _pid(process: TaskProcess | None) -> int:
    assert process is not None
    return process._process.pid


async def _gone(process: TaskProcess) -> None:
    await asyncio.wait_for(process._process.wait(), 10)


def test_the_waiting_process_does_the_next_task_and_no_other(tmp_path: Path) -> None:
    async def use(reserve: Reserve) -> None:
        first = await _served(reserve, 1)
        assert _waiting(reserve) is None
        await reserve.fill()
        ready = _pid(_waiting(reserve))
        assert ready != first
        assert await _served(reserve, 2) == ready
        assert _waiting(reserve) is None
        assert await _served(reserve, 3) not in (first, ready)

    _with_reserve(tmp_path, use)


def test_there_is_never_more_than_one(tmp_path: Path) -> None:
    async def use(reserve: Reserve) -> None:
        await asyncio.gather(reserve.fill(), reserve.fill(), reserve.fill())
        ready = _pid(_waiting(reserve))
        await reserve.fill()
        assert _pid(_waiting(reserve)) == ready
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
        if children.exists():
            assert children.read_text().split().count(str(ready)) == 1

    _with_reserve(tmp_path, use)


def test_a_dead_process_gets_no_task_and_is_replaced(tmp_path: Path) -> None:
    async def use(reserve: Reserve) -> None:
        for _ in range(2):
            await reserve.fill()
            process = _waiting(reserve)
            assert process is not None
            process.kill()
            await _gone(process)
            assert await _served(reserve, 1) != _pid(process)

    _with_reserve(tmp_path, use)


def test_a_process_that_nobody_needs_is_let_go(tmp_path: Path) -> None:
    async def use(reserve: Reserve) -> None:
        await reserve.fill()
        process = _waiting(reserve)
        assert process is not None
        await _gone(process)
        assert _waiting(reserve) is None
        await _served(reserve, 1)

    _with_reserve(tmp_path, use, seconds=0.2)


def test_a_process_that_got_a_task_is_not_let_go(tmp_path: Path) -> None:
    async def use(reserve: Reserve) -> None:
        await reserve.fill()
        ready = _pid(_waiting(reserve))
        await asyncio.sleep(0.1)
        process = await reserve.start({"number": 1})
        await asyncio.sleep(0.3)
        answers: list[Any] = [message async for message in process.messages()]
        await process.end()
        assert [answer["pid"] for answer in answers] == [ready]

    _with_reserve(tmp_path, use, seconds=0.2)


def test_a_reserve_of_no_time_and_a_closed_one_stay_empty(tmp_path: Path) -> None:
    async def never(reserve: Reserve) -> None:
        await reserve.fill()
        assert _waiting(reserve) is None

    async def closed(reserve: Reserve) -> None:
        await reserve.fill()
        process = _waiting(reserve)
        assert process is not None
        await reserve.close()
        assert not process.is_alive
        await reserve.fill()
        assert _waiting(reserve) is None

    async def closing(reserve: Reserve) -> None:
        filling = asyncio.create_task(reserve.fill())
        await asyncio.sleep(0)
        await reserve.close()
        await filling
        assert _waiting(reserve) is None

    _with_reserve(tmp_path, never, seconds=0)
    for use in (closed, closing):
        _with_reserve(tmp_path, use)
