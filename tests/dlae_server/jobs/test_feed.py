"""Watchers: every event once and in order, from memory or from disk."""

import asyncio
from pathlib import Path

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import JobNotFound, ShuttingDown
from dlae_server.jobs.feed import KEPT, Feed
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import Job
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings


def opened(folder: Path) -> Journal:
    settings = Settings("127.0.0.1:0", folder, (folder,), None, heartbeat_seconds=0.1)
    return Journal(settings, Metrics())


async def add(journal: Journal, job_id: str = "a") -> None:
    await journal.add(Job(id=job_id, name="m"), "{}")


async def warn(journal: Journal, count: int) -> None:
    for _ in range(count):
        await journal.add_event("a", pb.JobEvent(warned=pb.Warned(reason="R")))


def told(job: Job, number: int) -> tuple[Job, pb.JobEvent]:
    return job, pb.JobEvent(sequence=number)


def test_a_feed_has_what_was_told_lately_and_nothing_that_has_gaps() -> None:
    feed, job = Feed(), Job(id="a")
    assert feed.since(0) is None
    for number in range(1, KEPT + 11):
        feed.tell(*told(job, number))
    assert feed.since(9) is None
    found = feed.since(10)
    assert found is not None
    assert [event.sequence for event in found[1]] == list(range(11, KEPT + 11))
    assert feed.since(KEPT + 10) == (job, [])
    feed.tell(*told(job, KEPT + 20))
    assert feed.since(KEPT + 10) is None
    assert feed.since(KEPT + 19) == (job, [pb.JobEvent(sequence=KEPT + 20)])
    feed.forget()
    assert feed.since(KEPT + 20) is None


def test_every_watcher_gets_every_event_once_whenever_it_comes(tmp_path: Path) -> None:
    async def watched(journal: Journal, after: int, pause: float) -> list[int]:
        seen = []
        async for event in journal.watch("a", after):
            if event:
                seen.append(event.sequence)
                await asyncio.sleep(pause)
        return seen

    async def use() -> None:
        journal = opened(tmp_path)
        await add(journal)
        watchers = []
        for after in (0, 0, 3, 70):
            watchers.append(asyncio.create_task(watched(journal, after, 0)))
            await warn(journal, 30)
        watchers.append(asyncio.create_task(watched(journal, 100, 0.001)))
        await warn(journal, 2 * KEPT)
        await journal.finish("a", Job.STATE_FAILED)
        last = (await journal.call(journal.store.job, "a")).last_sequence
        assert last == 2 + 4 * 30 + 2 * KEPT
        for watcher, after in zip(watchers, (0, 0, 3, 70, 100), strict=True):
            assert await watcher == list(range(after + 1, last + 1))
        assert journal._feeds == {}
        await journal.close()

    asyncio.run(use())


def test_a_watcher_of_a_quiet_job_gets_heartbeats_and_is_let_go(tmp_path: Path) -> None:
    async def use() -> None:
        journal = opened(tmp_path)
        await add(journal)
        stream = journal.watch("a", 1)
        assert await anext(stream) is None
        await journal.stop()
        with pytest.raises(ShuttingDown):
            await anext(stream)
        await journal.close()

    asyncio.run(use())


def test_watchers_of_a_job_are_not_woken_by_others_and_learn_of_its_deletion(
    tmp_path: Path,
) -> None:
    async def use() -> None:
        journal = opened(tmp_path)
        await add(journal)
        await add(journal, "b")
        stream = journal.watch("b", 1)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await warn(journal, 3)
        assert journal._feeds["b"].count == 0
        await journal.finish("b", Job.STATE_CANCELLED)
        assert (await waiting) is not None
        await journal.call(journal.store.delete_job, "b")
        journal.forget("b")
        with pytest.raises(JobNotFound):
            await anext(journal.watch("b", 0))
        await stream.aclose()
        await journal.close()

    asyncio.run(use())
