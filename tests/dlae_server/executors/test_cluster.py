"""Jobs on a cluster, with a driver that needs no Ray."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlae.v1.training_pb2 import JobOptions
from dlae_server.errors import CannotStart, InvalidRequest
from dlae_server.executors import options
from dlae_server.executors.cluster import link
from dlae_server.executors.cluster.executor import Cluster
from dlae_server.jobs.outcomes import STALLS
from dlae_server.jobs.reserve import Reserve
from dlae_server.jobs.states import Job
from dlae_server.settings import Settings
from tests.dlae_server.jobs.supervised import WAITS, Supervised

FAKE = Path(__file__).with_name("fake_driver.py")
QUEUED, RUNNING = Job.STATE_QUEUED, Job.STATE_RUNNING
CANCELLED, FAILED = Job.STATE_CANCELLED, Job.STATE_FAILED
DIES = "import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)"
# Leaves what it has read as a checkpoint and dies; tells it when it finds that.
GOES_ON = """
import json, os, pathlib, sys
task = json.loads(input())
checkpoint = pathlib.Path(task["workspace"]) / "recovery" / "1.dlae"
if checkpoint.exists():
    sys.stderr.write("second\\n")
    failure = {"reason": "READ", "message": checkpoint.read_text()}
    print(json.dumps({"failure": failure}), flush=True)
else:
    sys.stderr.write("first\\n")
    sys.stderr.flush()
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text(pathlib.Path(json.loads(task["config"])["paths"]["train_X"]).read_text())
    os.kill(os.getpid(), 9)
"""
TOGETHER = '{"training_configurations": {"hardware": "multi-gpu"}}'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.05)


def _set_nodes(folder: Path, nodes: int) -> None:
    file = folder / "nodes.writing"
    file.write_text(str(nodes))
    file.replace(folder / "nodes")


def _clustered(
    folder: Path,
    program: str,
    use: Callable[[Supervised], Awaitable[None]],
    nodes: int = 1,
    **more: Any,
) -> None:
    """Runs a supervisor on a cluster of nodes with one core each."""
    _set_nodes(folder, nodes)

    async def run() -> None:
        settings = Settings("127.0.0.1:0", folder, (folder,), None, reserve_seconds=0)
        settings = replace(settings, executor="ray", ray_address="there", running_jobs=9, **more)
        command = (sys.executable, "-S", "-c", program)
        cluster = Cluster(settings, command, (sys.executable, str(FAKE), str(folder)))
        supervised = Supervised(settings, program, cluster)
        await supervised.start()
        try:
            await use(supervised)
        finally:
            await supervised.stop()

    asyncio.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


def test_as_many_jobs_run_as_there_are_cores(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        ids = [await jobs.submit() for _ in range(3)]
        for job_id in ids[:2]:
            assert json.loads(await jobs.devices(job_id)) == {"cores": [], "gpus": []}
        assert (await jobs.job(ids[2])).state == QUEUED
        await jobs.supervisor.cancel(ids[0])
        await jobs.reaches(ids[0], CANCELLED)
        await jobs.devices(ids[2])
        assert (tmp_path / "jobs" / ids[2] / "worker.log").read_text() == "began\n"

    _clustered(tmp_path, WAITS, use, nodes=2)


def test_a_job_is_paused_and_goes_on(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.devices(job_id)
        await jobs.supervisor.pause(job_id)
        await jobs.reaches(job_id, Job.STATE_PAUSED)
        await jobs.supervisor.resume(job_id)
        assert (await jobs.reaches(job_id, RUNNING)).attempt == 2

    _clustered(tmp_path, WAITS, use)


def test_a_job_waits_for_a_cluster_that_does_not_answer_and_says_so(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        job = jobs.supervisor.explained(await jobs.job(job_id))
        assert (job.state, "cluster there, which does not" in job.waits_for) == (QUEUED, True)
        _set_nodes(tmp_path, 1)
        job = jobs.supervisor.explained(await jobs.reaches(job_id, RUNNING))
        assert (job.attempt, job.waits_for) == (1, "")

    _clustered(tmp_path, WAITS, use, nodes=0)


def test_a_job_whose_cluster_is_lost_goes_on_when_that_is_back(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit()
        await jobs.devices(job_id)
        _set_nodes(tmp_path, 0)
        await jobs.reaches(job_id, QUEUED)
        _set_nodes(tmp_path, 1)
        job = await jobs.reaches(job_id, RUNNING)
        assert (job.attempt, job.stalls) == (2, 2)
        events = await jobs.journal.call(jobs.journal.store.events, job_id, 0)
        told = [event.state_changed.message for event in events if event.HasField("state_changed")]
        assert told[2].startswith("training stopped: the connection to the cluster was lost;")

    _clustered(tmp_path, WAITS, use)


def test_a_worker_that_dies_again_and_again_fails_its_job(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        job = await jobs.reaches(await jobs.submit(), FAILED)
        assert (job.error.reason, job.attempt) == ("WORKER_DIED", STALLS)
        assert "its process was killed" in job.error.message

    _clustered(tmp_path, DIES, use)


def test_what_no_node_has_is_refused(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        await _until(lambda: not jobs.executor.obstacle(JobOptions()))
        most = r"the most of any of \d nodes is cores=1, gpus=0, memory_bytes=\d+;"
        for wanted in ({"cores": 2}, {"gpus": 1}, {"memory_limit_bytes": 2 << 30}):
            with pytest.raises(InvalidRequest, match=f"nodes of the cluster can meet.* {most}"):
                await jobs.submit(**wanted)
        with pytest.raises(InvalidRequest, match="trainings with hardware 'multi-gpu'"):
            await jobs.submit(machines=2)
        with pytest.raises(InvalidRequest, match="machines=2"):
            await jobs.submit(config=TOGETHER, machines=2)

    _clustered(tmp_path, WAITS, use)


def test_a_job_waits_for_nodes_that_were_lost_and_says_for_which(tmp_path: Path) -> None:
    async def use(jobs: Supervised) -> None:
        await _until(lambda: not jobs.executor.obstacle(JobOptions()))
        running = [await jobs.submit() for _ in range(2)]
        job_id = await jobs.submit(config=TOGETHER, machines=2)
        await jobs.devices(running[1])
        assert jobs.supervisor.explained(await jobs.job(job_id)).waits_for == ""
        _set_nodes(tmp_path, 1)
        lost = JobOptions(machines=2)
        await _until(lambda: jobs.executor.obstacle(lost) != "")
        told = jobs.supervisor.explained(await jobs.job(job_id)).waits_for
        assert told.startswith("waits for nodes of the cluster with cores=0, gpus=0, ")
        assert "machines=2, where the most of any of 1 nodes is cores=1" in told
        _set_nodes(tmp_path, 2)
        await _until(lambda: jobs.executor.obstacle(lost) == "")

    _clustered(tmp_path, WAITS, use, nodes=2)


def test_a_job_that_never_began_for_want_of_the_cluster_has_not_stalled(tmp_path: Path) -> None:
    settings = Settings("127.0.0.1:0", tmp_path, (tmp_path,), ray_address="there")
    cluster = Cluster(settings)

    async def use() -> None:
        worker = await cluster.start("a", {}, tmp_path / "log")
        assert [message async for message in worker.messages()] == []
        assert await worker.end() == "the connection to the cluster was lost"
        assert worker.verdict is not None
        assert worker.verdict.reason == "NEVER_BEGAN"

    asyncio.run(use())


def test_a_server_without_ray_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    settings = Settings("127.0.0.1:0", tmp_path, (tmp_path,), executor="ray")
    with pytest.raises(CannotStart, match=r"pip install 'dlae\[server,cluster\]'"):
        options.executor_of(settings, Reserve(settings))


def test_files_of_jobs_go_through_an_object_store(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs fsspec: pip install -e '.[cluster]'")
    data = tmp_path / "models" / "old" / "X"
    data.parent.mkdir(parents=True)
    data.write_text("images")
    store = tmp_path / "store"

    async def use(jobs: Supervised) -> None:
        job_id = await jobs.submit(config=json.dumps({"paths": {"train_X": str(data)}}))
        # The first attempt leaves a checkpoint and dies, the next finds it.
        job = await jobs.reaches(job_id, FAILED)
        assert (job.error.reason, job.attempt) == ("READ", 2)
        assert job.error.message.startswith("images; its last checkpoint is kept")
        work = tmp_path / "jobs" / job_id
        assert (work / "worker.log").read_text() == "first\nsecond\n"
        await _until((work / "checkpoint.dlae").exists)
        assert not (store / "jobs" / job_id).exists()

    _clustered(tmp_path, GOES_ON, use, ray_store=f"file://{store}")


def test_an_object_store_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs fsspec: pip install -e '.[cluster]'")
    settings = Settings("127.0.0.1:0", tmp_path, (tmp_path,), ray_store="nothing://there")
    with pytest.raises(CannotStart, match="--ray-store"):
        Cluster(settings)
