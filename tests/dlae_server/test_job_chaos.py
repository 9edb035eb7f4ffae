"""Servers and workers killed at any instant: no job is lost, doubled, or lies about its state."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.jobs.states import ACTIVE, FINISHED
from dlae_server.upkeep.checking import check
from tests.dlae_server.processes import ServerProcess, reason_of, states

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "5"))
LONGEST_SECONDS = 1.0
# What a state may be followed by, as the log tells it.
NEXT = {
    "QUEUED": {"RUNNING", "PAUSED", "CANCELLED"},
    "RUNNING": {"QUEUED", "PAUSING", "CANCELLING", "SUCCEEDED", "FAILED"},
    "PAUSING": {"PAUSED", "CANCELLING", "SUCCEEDED", "FAILED"},
    "PAUSED": {"QUEUED", "CANCELLED"},
    "CANCELLING": {"CANCELLED", "SUCCEEDED", "FAILED"},
}
REFUSED = {"QUEUE_FULL", "JOB_FINISHED", "JOB_BUSY", "JOB_NOT_FOUND"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test kills."""
    process = ServerProcess(tmp_path)
    process.behave("dawdle")
    yield process
    if process.process.poll() is None:
        process.stop()


class Memory:
    """What users of the server know.

    Attributes:
        asked: Request ids that were sent.
        told: Request id -> job, as the server said.
        cancelled: Jobs that were asked to stop.
        deleted: Jobs whose deletion was asked for.
        ended: Jobs that were seen to have ended.
        seen: Sequence numbers of the events that a watcher of each job has got.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()
        self.ended: dict[str, pb.Job] = {}
        self.seen: dict[str, list[int]] = {}


class Life(threading.Thread):
    """Works on a server until that is gone."""

    def __init__(self, step: Callable[[], None]) -> None:
        super().__init__()
        self._step = step
        self.error: BaseException | None = None

    def run(self) -> None:
        """Takes steps until a call finds nobody."""
        while True:
            try:
                self._step()
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                    return
                if reason_of(error) not in REFUSED:
                    self.error = error
                    return


class Lives:
    """A user and a watcher of a server, for as long as that lives."""

    def __init__(self, server: ServerProcess, memory: Memory) -> None:
        self._training, self._memory = server.training, memory
        self._source = server.source()
        self._threads = [Life(self._use), Life(self._watch)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Waits for their ends."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
            assert thread.error is None

    def _use(self) -> None:
        memory = self._memory
        time.sleep(random.uniform(0, 0.05))
        known = list(memory.told.values())
        what = random.choice(["submit", "submit", "pause", "resume", "cancel", "delete"])
        if what == "submit" or not known:
            request_id = f"r{len(memory.asked)}"
            memory.asked.append(request_id)
            memory.told[request_id] = submit(self._training, self._source, request_id)
            return
        job_id = random.choice(known[-6:])
        if what == "cancel":
            memory.cancelled.add(job_id)
            self._training.Cancel(pb.CancelRequest(job_id=job_id), timeout=30)
        elif what == "pause":
            self._training.Pause(pb.PauseRequest(job_id=job_id), timeout=30)
        elif what == "resume":
            self._training.Resume(pb.ResumeRequest(job_id=job_id), timeout=30)
        elif random.random() < 0.3:
            memory.deleted.add(job_id)
            self._training.DeleteJob(pb.DeleteJobRequest(job_id=job_id), timeout=30)

    def _watch(self) -> None:
        """Watches the oldest job whose end has not been seen, from where it was."""
        memory = self._memory
        for job_id in list(memory.told.values()):
            if job_id in memory.ended or job_id in memory.deleted:
                continue
            seen = memory.seen.setdefault(job_id, [])
            request = pb.WatchRequest(job_id=job_id, after_sequence=seen[-1] if seen else 0)
            stream = self._training.Watch(request, timeout=30)
            for answer in stream:
                if answer.HasField("event"):
                    seen.append(answer.event.sequence)
                if _is(answer.event, pb.Job.STATE_PAUSED):
                    break
            stream.cancel()
            job = self._training.Status(pb.StatusRequest(job_id=job_id), timeout=30).job
            if job.state in FINISHED:
                memory.ended[job_id] = job
        time.sleep(0.02)


def _is(event: pb.JobEvent, state: int) -> bool:
    return event.HasField("state_changed") and event.state_changed.state == state


def _workers(server: ServerProcess) -> list[int]:
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


def _kill(server: ServerProcess) -> None:
    """Kills some workers of the server, the server, or both."""
    what = random.choice(["server", "server", "workers", "both"])
    workers = _workers(server)
    if what in {"both", "workers"}:
        for pid in random.sample(workers, random.randint(0, len(workers))):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    if what == "workers":
        # The server goes on with others before it is killed as well.
        time.sleep(random.uniform(0, LONGEST_SECONDS))


@pytest.mark.timeout(120 + 30 * KILLS)
def test_killed_servers_and_workers_lose_and_double_nothing(server: ServerProcess) -> None:
    memory = Memory()
    for _ in range(KILLS):
        lives = Lives(server, memory)
        time.sleep(random.uniform(0.05, LONGEST_SECONDS))
        _kill(server)
        server.process.kill()
        server.process.wait()
        # Their calls end by themselves: a channel that is closed under a call that begins can leave
        # that waiting for ever.
        lives.join()
        server.channel.close()
        # Folders that nobody is told of may be left; everything else must be right already.
        assert [one for one in check(server.data_dir) if not one.stray] == []
        server.start()
        _compare(server, memory)
        _repeat(server, memory)
    _finish(server, memory)


def _compare(server: ServerProcess, memory: Memory) -> None:
    """Compares what the server knows with what its users were told."""
    jobs = {job.id: job for job in _all(server)}
    assert sum(job.state in ACTIVE for job in jobs.values()) <= 1
    asked = [jobs[job_id].options.request_id for job_id in jobs]
    assert len(set(asked)) == len(asked)
    assert set(asked) <= set(memory.asked)
    for request_id, job_id in memory.told.items():
        if job_id in memory.deleted:
            continue
        assert jobs[job_id].options.request_id == request_id
    for job in jobs.values():
        # What was recorded although nobody was told of it is known from now on.
        memory.told[job.options.request_id] = job.id
    for job_id, job in memory.ended.items():
        assert jobs.get(job_id, job) == job
        assert job_id in jobs or job_id in memory.deleted


def _repeat(server: ServerProcess, memory: Memory) -> None:
    """Sends requests again that have made a job: they make no other."""
    for request_id, job_id in random.sample(list(memory.told.items()), min(3, len(memory.told))):
        if job_id not in memory.deleted:
            assert submit(server.training, server.source(), request_id) == job_id


def submit(training: Any, source: pb.ConfigSource, request_id: str) -> str:
    """Submits the job of a request id, for the first time or not."""
    options = pb.JobOptions(request_id=request_id, priority=len(request_id) % 2)
    request = pb.TrainRequest(config=source, name="m", options=options)
    return str(training.Train(request, timeout=30).job.id)


def _finish(server: ServerProcess, memory: Memory) -> None:
    """Lets all jobs come to their ends, and looks at their whole logs."""
    server.behave("succeed")
    training: Any = server.training
    for job in _all(server):
        if job.state in (pb.Job.STATE_PAUSED, pb.Job.STATE_PAUSING):
            # One at a time: few may wait.
            _when_allowed(lambda job=job: training.Resume(pb.ResumeRequest(job_id=job.id)))
        if job.state not in FINISHED:
            server.events(job.id)
    models = []
    for job in _all(server):
        events = server.events(job.id)
        told = states(events)
        assert told[0] == "QUEUED"
        assert all(after in NEXT[before] for before, after in pairwise(told))
        numbers = [event.sequence for event in events]
        assert numbers == sorted(set(numbers))
        seen = memory.seen.get(job.id, [])
        assert seen == sorted(set(seen))
        epochs = [one.epoch_finished.progress.epoch for one in events if one.epoch_finished.metrics]
        assert len(set(epochs)) == len(epochs)
        assert told[-1] != "CANCELLED" or job.id in memory.cancelled
        assert told[-1] != "FAILED" or job.attempt >= 3, job.error
        models += [job.model] if told[-1] == "SUCCEEDED" else []
        assert bool(job.model) == (told[-1] == "SUCCEEDED")
    assert len(set(models)) == len(models)
    assert check(server.data_dir) == []


def _when_allowed(call: Callable[[], object]) -> None:
    """Makes a call that may be refused for a while."""
    for _ in range(500):
        try:
            call()
        except grpc.RpcError as error:
            if reason_of(error) not in {"QUEUE_FULL", "JOB_BUSY"}:
                raise
            time.sleep(0.02)
        else:
            return
    raise AssertionError


def _all(server: ServerProcess) -> list[pb.Job]:
    answer = server.training.ListJobs(pb.ListJobsRequest(page_size=1000))
    return list(answer.jobs)
