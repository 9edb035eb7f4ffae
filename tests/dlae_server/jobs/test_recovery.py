"""What the supervisor makes of jobs that a crash left behind."""

import asyncio
import sys
from pathlib import Path

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.executors.local import Local
from dlae_server.jobs.checkpoints import CHECKPOINT_FILE
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.outcomes import STALLS
from dlae_server.jobs.progress import note
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.states import FINISHED, Job, enter
from dlae_server.jobs.supervisor import Supervisor
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings
from dlae_server.store import Store

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
    settings = Settings("127.0.0.1:0", folder, (folder,), None)
    reserve = Reserve(settings, WORKER)
    supervisor = Supervisor(settings, metrics, journal, Local(settings, reserve))
    task = await supervisor.start()
    if work:
        async for _ in journal.watch("a", 0):
            continue
        await journal.stop()
    await task
    job = await journal.call(journal.store.job, "a")
    events = await journal.call(journal.store.events, "a", 0)
    await reserve.close()
    await journal.close()
    return job, events


def test_a_job_that_was_running_waits_again(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING)
    job, events = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, job.attempt) == (Job.STATE_QUEUED, 1)
    assert "goes on from its last checkpoint" in events[-1].state_changed.message


def test_a_job_that_was_running_is_run_a_second_time(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING)
    job, events = asyncio.run(recovered(tmp_path, work=True))
    assert (job.attempt, job.error.reason) == (2, "FAKE")
    states = [event.state_changed.state for event in events]
    queued, running, failed = Job.STATE_QUEUED, Job.STATE_RUNNING, Job.STATE_FAILED
    assert states == [queued, running, queued, running, failed]


def _advance(folder: Path, steps: int) -> None:
    """Tells of a step of the job `a`."""
    store, metrics = Store(folder / "dlae.sqlite3"), Metrics()
    told = pb.StepFinished(progress=pb.Progress(step=steps), steps_done=steps)

    def change(job: Job) -> pb.JobEvent:
        event = pb.JobEvent(step_finished=told)
        note(job, event, metrics)
        return event

    store.record("a", change)
    store.close()


def test_a_job_that_got_further_may_be_interrupted_again_and_again(tmp_path: Path) -> None:
    again = [Job.STATE_QUEUED, Job.STATE_RUNNING] * STALLS
    left_behind(tmp_path, Job.STATE_RUNNING, *again)
    _advance(tmp_path, steps=5)
    job, _ = asyncio.run(recovered(tmp_path, work=False))
    assert (job.state, job.attempt, job.stalls) == (Job.STATE_QUEUED, STALLS + 1, 0)


def test_the_checkpoint_of_a_job_that_has_ended_is_kept_and_nothing_else(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING, Job.STATE_FAILED)
    recovery = tmp_path / "jobs" / "a" / "work" / "recovery"
    recovery.mkdir(parents=True)
    for name in ("1.dlae", "2.dlae"):
        (recovery / name).write_text(name)
    asyncio.run(recovered(tmp_path, work=False))
    (left,) = (tmp_path / "jobs" / "a").iterdir()
    assert (left.name, left.read_text()) == (CHECKPOINT_FILE, "2.dlae")


def test_the_work_of_a_job_that_waits_again_is_kept(tmp_path: Path) -> None:
    left_behind(tmp_path, Job.STATE_RUNNING)
    work = tmp_path / "jobs" / "a" / "work"
    work.mkdir(parents=True)
    asyncio.run(recovered(tmp_path, work=False))
    assert work.exists()


def test_the_third_crash_at_one_place_ends_a_job(tmp_path: Path) -> None:
    again = [Job.STATE_QUEUED, Job.STATE_RUNNING] * (STALLS - 1)
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
