"""What the supervisor makes of jobs that a crash left behind."""

import asyncio
import sys
from pathlib import Path

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import FINISHED, Job, enter
from dlae_server.jobs.store import Store
from dlae_server.jobs.supervisor import ATTEMPTS, Supervisor
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings

FAILURE = '{"failure": {"reason": "FAKE", "message": "failed"}}'
WORKER = (sys.executable, "-S", "-c", f"input(); print({FAILURE!r})")


def left_behind(folder: Path, *states: "Job.State") -> None:
    """Writes a store with the job `a` that went through some states."""
    store = Store(folder / "dlae.sqlite3")
    job = Job(id="a", name="m")
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    for state in states:
        store.record("a", lambda job, state=state: enter(job, state))
    store.close()


async def recovered(folder: Path, work: bool) -> tuple[Job, list[pb.JobEvent]]:
    """Starts a supervisor; returns the job once put right, or once worked off."""
    metrics = Metrics()
    journal = Journal(Settings("127.0.0.1:0", folder, (folder,), None), metrics)
    if not work:
        await journal.stop()
    supervisor = Supervisor(
        Settings("127.0.0.1:0", folder, (folder,), None), metrics, journal, WORKER
    )
    task = await supervisor.start()
    if work:
        async for _ in journal.watch("a", 0):
            continue
        await journal.stop()
    await task
    job = await journal.call(journal.store.job, "a")
    events = await journal.call(journal.store.events, "a", 0)
    await journal.close()
    return job, events


def test_a_job_that_was_running_waits_again(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING)
    job, events = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, job.attempt) == (Job.STATE_QUEUED, 1)
    assert not job.HasField("progress")
    assert "starts again from the beginning" in events[-1].state_changed.message


def test_a_job_that_was_running_is_run_a_second_time(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING)
    job, events = asyncio.run(recovered(tmp_path, work=True))
    assert (job.attempt, job.error.reason) == (2, "FAKE")
    states = [event.state_changed.state for event in events]
    queued, running, failed = Job.STATE_QUEUED, Job.STATE_RUNNING, Job.STATE_FAILED
    assert states == [queued, running, queued, running, failed]


def test_the_third_crash_ends_a_job(tmp_path: Path) -> None:
    again = [Job.STATE_QUEUED, Job.STATE_RUNNING] * (ATTEMPTS - 1)
    left_behind(tmp_path, Job.STATE_RUNNING, *again)
    job, events = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, job.error.reason) == (Job.STATE_FAILED, "SERVER_STOPPED")
    assert "3 times" in job.error.message
    assert events[-1].state_changed.error == job.error


def test_a_job_that_was_being_cancelled_is_cancelled(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING, Job.STATE_CANCELLING)
    job, _ = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, job.attempt) == (Job.STATE_CANCELLED, 1)
    assert job.HasField("end_time")


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_a_job_that_has_ended_stays_as_it_is(tmp_path: Path, state: "Job.State") -> None:
    left_behind(tmp_path, Job.STATE_RUNNING, state)
    job, events = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, len(events)) == (state, 3)
