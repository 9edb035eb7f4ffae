"""Workers that go too far: too long, too large, or nowhere."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from dlae_server.jobs import guard, process
from dlae_server.jobs.outcomes import STALLS
from dlae_server.jobs.states import Job
from dlae_server.jobs.usage import Usage, usage_of
from dlae_server.settings import Settings
from tests.dlae_server.jobs.supervised import DEAF, GREEDY, WAITS, Supervised, supervise

FAILED, RUNNING = Job.STATE_FAILED, Job.STATE_RUNNING


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("program", [WAITS, DEAF])
def test_a_job_out_of_time_stops_at_a_step_or_is_ended(tmp_path: Path, program: str) -> None:
    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(time_limit_seconds=1), FAILED)
        assert (job.error.reason, job.attempt) == ("TIME_LIMIT", 1)
        assert "it has run for its limit of 1 s" in job.error.message
        assert job.run_seconds >= 1

    supervise(tmp_path, program, use, grace_seconds=0.1)


def test_a_cancelled_job_whose_worker_does_not_stop_is_ended(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.reaches(job_id, RUNNING)
        # Whoever asks again is told the same.
        asked = [await jobs.supervisor.cancel(job_id) for _ in range(2)]
        assert [job.state for job in asked] == [Job.STATE_CANCELLING] * 2
        job = await jobs.reaches(job_id, Job.STATE_CANCELLED)
        assert not job.HasField("error")

    supervise(tmp_path, DEAF, use, grace_seconds=0.1)


def test_the_time_of_earlier_attempts_counts(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit(time_limit_seconds=1)
        await jobs.reaches(job_id, RUNNING)
        await jobs.supervisor.pause(job_id)
        await jobs.reaches(job_id, Job.STATE_PAUSED)
        store = jobs.journal.store

        def spend(job: Job) -> None:
            job.run_seconds = 0.9
            store._connection.execute("UPDATE jobs SET job = ?", (job.SerializeToString(),))

        await jobs.journal.call(store.record, job_id, spend)
        await jobs.supervisor.resume(job_id)
        job = await jobs.reaches(job_id, FAILED)
        assert 1 <= job.run_seconds < 1.9

    supervise(tmp_path, WAITS, use)


def test_a_job_that_takes_too_much_memory_fails_at_once(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(memory_limit_bytes=100 << 20), FAILED)
        assert (job.error.reason, job.attempt) == ("OUT_OF_MEMORY", 1)
        assert "more than its limit of 100 MiB" in job.error.message
        enough = await jobs.submit(memory_limit_bytes=400 << 20)
        await jobs.reaches(enough, RUNNING)

    supervise(tmp_path, GREEDY, use)


def test_a_worker_that_does_nothing_is_replaced_a_few_times(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(), FAILED)
        assert (job.error.reason, job.attempt) == ("WORKER_HUNG", STALLS)
        assert "told nothing and did nothing" in job.error.message

    supervise(tmp_path, DEAF, use, silent_seconds=0.15)


def test_a_worker_elsewhere_hangs_only_when_it_is_known_to_do_nothing(tmp_path: Path) -> None:
    worker = Mock()
    worker.usage.return_value = Usage()
    settings = Settings("127.0.0.1:0", tmp_path, (tmp_path,), silent_seconds=1e-6)
    watched = guard.Guard(Job(), worker, settings)
    for usage in (Usage(), Usage(0, 3.0)):
        worker.usage.return_value = usage
        assert watched._judge() is None
    verdict = watched._judge()
    assert verdict is not None
    assert verdict.reason == "WORKER_HUNG"


def test_a_worker_that_is_silent_but_works_is_left_alone(tmp_path: Path) -> None:
    busy = (
        "import time; input(); end = time.monotonic() + 0.6\n"
        "while time.monotonic() < end: pass\n"
        'print(\'{"failure": {"reason": "FAKE", "message": "failed"}}\')'
    )

    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(), FAILED)
        assert (job.error.reason, job.attempt) == ("FAKE", 1)

    supervise(tmp_path, busy, use, silent_seconds=0.2)


def test_a_worker_that_the_kernel_ends_for_want_of_memory_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = "import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)"
    counts = iter(range(100))
    monkeypatch.setattr(process, "kernel_kills", lambda: next(counts))

    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(), FAILED)
        # Others may have taken the memory: it is tried again where the job has no limit.
        assert (job.error.reason, job.attempt) == ("OUT_OF_MEMORY", STALLS)
        assert "the system's memory ran out" in job.error.message

    supervise(tmp_path, dies, use)


def test_what_cannot_be_measured_is_nothing() -> None:
    assert usage_of(1 << 30) == Usage(0, float("inf"))
