"""Jobs that are paused, resumed, cancelled and deleted, and how many run at once."""

import asyncio
import json
from pathlib import Path

import pytest

from dlae_server.errors import InvalidRequest, JobBusy, JobFinished, QueueFull
from dlae_server.jobs.checkpoints import CHECKPOINT_FILE
from dlae_server.jobs.states import Job
from tests.dlae_server.jobs.supervised import WAITS, Supervised, supervise

QUEUED, RUNNING, PAUSED = Job.STATE_QUEUED, Job.STATE_RUNNING, Job.STATE_PAUSED
CANCELLED = Job.STATE_CANCELLED


def test_a_running_job_pauses_and_goes_on_in_the_same_place(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.reaches(job_id, RUNNING)
        work = tmp_path / "jobs" / job_id / "work"
        work.mkdir(parents=True)
        assert (await jobs.supervisor.pause(job_id)).state in (Job.STATE_PAUSING, PAUSED)
        paused = await jobs.reaches(job_id, PAUSED)
        assert (paused.stalls, work.is_dir()) == (0, True)
        assert paused.run_seconds > 0
        assert (await jobs.supervisor.pause(job_id)).last_sequence == paused.last_sequence
        await asyncio.sleep(0.1)
        assert (await jobs.job(job_id)).run_seconds == paused.run_seconds
        await jobs.supervisor.resume(job_id)
        again = await jobs.reaches(job_id, RUNNING)
        assert (again.attempt, again.stalls) == (2, 1)
        assert (await jobs.supervisor.resume(job_id)).state == RUNNING

    supervise(tmp_path, WAITS, use)


def test_a_waiting_job_pauses_at_once_and_lets_others_pass(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        first, second, third = [await jobs.submit() for _ in range(3)]
        await jobs.reaches(first, RUNNING)
        assert (await jobs.supervisor.pause(second)).state == PAUSED
        await jobs.supervisor.cancel(first)
        await jobs.reaches(third, RUNNING)
        assert (await jobs.job(second)).state == PAUSED

    supervise(tmp_path, WAITS, use)


def test_a_paused_job_is_cancelled_at_once_and_leaves_its_checkpoint(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.reaches(job_id, RUNNING)
        recovery = tmp_path / "jobs" / job_id / "work" / "recovery"
        recovery.mkdir(parents=True)
        (recovery / "1.dlae").write_text("weights")
        await jobs.supervisor.pause(job_id)
        await jobs.reaches(job_id, PAUSED)
        assert (await jobs.supervisor.cancel(job_id)).state == CANCELLED
        folder = recovery.parent.parent
        assert (folder / CHECKPOINT_FILE).read_text() == "weights"
        assert not recovery.parent.exists()
        for refused in (jobs.supervisor.pause, jobs.supervisor.resume, jobs.supervisor.cancel):
            with pytest.raises(JobFinished):
                await refused(job_id)

    supervise(tmp_path, WAITS, use)


def test_deleting_takes_the_folder_and_waits_for_the_end(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.reaches(job_id, RUNNING)
        with pytest.raises(JobBusy, match="has not ended, it is running"):
            await jobs.supervisor.delete(job_id)
        folder = tmp_path / "jobs" / job_id
        assert folder.is_dir()
        await jobs.supervisor.cancel(job_id)
        await jobs.reaches(job_id, CANCELLED)
        await jobs.supervisor.delete(job_id)
        assert not folder.exists()
        assert await jobs.journal.call(jobs.journal.store.removals) == []

    supervise(tmp_path, WAITS, use)


def test_old_jobs_go_at_the_start_and_what_a_crash_left_of_deleted_ones(tmp_path: Path) -> None:
    async def end(jobs: Supervised) -> None:
        for _ in range(2):
            job_id = await jobs.submit()
            await jobs.reaches(job_id, RUNNING)
            await jobs.supervisor.cancel(job_id)
            await jobs.reaches(job_id, CANCELLED)
        await jobs.journal.call(jobs.journal.store.delete_job, job_id)

    async def gone(jobs: Supervised) -> None:
        async with asyncio.timeout(10):
            while await jobs.journal.call(jobs.journal.store.count_by_state):
                await asyncio.sleep(0.01)
            while any((tmp_path / "jobs").iterdir()):
                await asyncio.sleep(0.01)

    supervise(tmp_path, WAITS, end)
    assert len(list((tmp_path / "jobs").iterdir())) == 2
    supervise(tmp_path, WAITS, gone, retention_days=0.0)


def test_several_jobs_run_at_once_on_devices_of_their_own(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        jobs.executor._devices.cores = (0, 1, 2, 3)
        first, second, third, fourth = [await jobs.submit() for _ in range(4)]
        told = [json.loads(await jobs.devices(job_id)) for job_id in (first, second)]
        assert told == [
            {"cores": [0, 1], "gpus": ["0"]},
            {"cores": [2, 3], "gpus": ["1"]},
        ]
        assert (await jobs.job(third)).state == QUEUED
        await jobs.supervisor.cancel(second)
        assert json.loads(await jobs.devices(third)) == told[1]
        assert (await jobs.job(fourth)).state == QUEUED

    supervise(tmp_path, WAITS, use, running_jobs=2, gpus=("0", "1"))


def test_one_user_may_not_take_all(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        jobs.executor._devices.cores = (0, 1)
        first = await jobs.submit(user="ann")
        await jobs.reaches(first, RUNNING)
        second = await jobs.submit(user="ann")
        third = await jobs.submit(user="bob")
        await jobs.reaches(third, RUNNING)
        assert (await jobs.job(first)).state == RUNNING
        assert (await jobs.job(second)).state == QUEUED
        with pytest.raises(QueueFull, match="1 jobs of this user"):
            await jobs.submit(user="ann")
        await jobs.submit(user="eve")
        with pytest.raises(InvalidRequest, match=r"options\.cores of at most 2"):
            await jobs.submit(user="eve", cores=3)

    limits = {"running_jobs_per_user": 1, "queued_jobs_per_user": 1}
    supervise(tmp_path, WAITS, use, running_jobs=2, gpus=(), **limits)
