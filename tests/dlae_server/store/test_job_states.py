"""Any course of requests, ends of workers and crashes agrees with a table of states."""

import tempfile
from collections.abc import Callable, Container
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_core.errors import DlaeError
from dlae_server.errors import JobBusy, JobFinished, JobNotFound
from dlae_server.jobs import transitions
from dlae_server.jobs.states import ACTIVE, FINISHED, Job, enter
from dlae_server.store import Store

pytestmark = pytest.mark.slow

Q, R, PAUSING, PAUSED = "QUEUED", "RUNNING", "PAUSING", "PAUSED"
CANCELLING, CANCELLED, DONE, FAILED = "CANCELLING", "CANCELLED", "SUCCEEDED", "FAILED"
ENDED = (CANCELLED, DONE, FAILED)
WORKS = (R, PAUSING, CANCELLING)
STATES = (Q, PAUSED, *WORKS, *ENDED)
# Few jobs go far, many do not.
MOST = 3
WHICH = st.integers(0, MOST - 1)
# What is done -> state before -> state after; or the error, and nothing changes.
TABLE: dict[str, dict[str, str | type[DlaeError]]] = {
    "begin": {Q: R},
    "pause": {
        **{Q: PAUSED, R: PAUSING, CANCELLING: JobBusy},
        **dict.fromkeys(ENDED, JobFinished),
    },
    "resume": {
        **{PAUSED: Q, PAUSING: JobBusy, CANCELLING: JobBusy},
        **dict.fromkeys(ENDED, JobFinished),
    },
    "cancel": {
        **{Q: CANCELLED, PAUSED: CANCELLED, R: CANCELLING, PAUSING: CANCELLING},
        **dict.fromkeys(ENDED, JobFinished),
    },
    # Of jobs with a worker only.
    "stop": {R: CANCELLED, PAUSING: PAUSED, CANCELLING: CANCELLED},
    "wait_again": {R: Q, PAUSING: PAUSED, CANCELLING: CANCELLED},
    "fail": dict.fromkeys(WORKS, FAILED),
    "succeed": dict.fromkeys(WORKS, DONE),
}
ASKED = {
    "begin": transitions.begin,
    "pause": transitions.pause,
    "resume": transitions.resume,
    "cancel": transitions.cancel,
    "stop": transitions.stop,
    "wait_again": lambda job: transitions.wait_again(job, "again"),
    "fail": lambda job: enter(job, Job.STATE_FAILED, pb.JobError(reason="FAKE")),
}


class Jobs(RuleBasedStateMachine):
    """Jobs on disk, and what they should be."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._open()
        self.expected: dict[str, str] = {}
        self.priorities: dict[str, int] = {}
        self.changes: dict[str, int] = {}
        self.models: dict[str, str] = {}

    def _open(self) -> None:
        self.store = Store(Path(self._folder.name) / "dlae.sqlite3")
        self.store._connection.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        """Removes what was written."""
        self.store.close()
        self._folder.cleanup()

    @precondition(lambda self: len(self.expected) < MOST)
    @rule(priority=st.integers(-1, 1))
    def submit(self, priority: int) -> None:
        """Submits a job, and once more."""
        job_id = f"m-{len(self.priorities):04}"
        options = pb.JobOptions(priority=priority, request_id=job_id)
        for name in (job_id, "again"):
            job = Job(id=name, name="m", options=options)
            made = self.store.add_job(job, "{}", enter(job, Job.STATE_QUEUED), "digest")
            assert made.id == job_id
        self.expected[job_id], self.priorities[job_id], self.changes[job_id] = Q, priority, 1

    @precondition(lambda self: self.expected)
    @rule(which=WHICH, what=st.sampled_from(["pause", "resume", "cancel"]))
    def ask(self, which: int, what: str) -> None:
        """Asks something of a job in any state."""
        self._do(self._chosen(which, STATES), what)

    @precondition(lambda self: self._in(WORKS))
    @rule(which=WHICH, what=st.sampled_from(["pause", "cancel"]))
    def stop_soon(self, which: int, what: str) -> None:
        """Asks a job to stop that has a worker."""
        self._do(self._chosen(which, WORKS), what)

    @precondition(lambda self: self._in((Q,)))
    @rule(which=WHICH)
    def begin(self, which: int) -> None:
        """Begins a job that waits."""
        self._do(self._chosen(which, (Q,)), "begin")

    @precondition(lambda self: self._in((PAUSING, CANCELLING)))
    @rule(which=WHICH)
    def stop(self, which: int) -> None:
        """Ends the worker of a job that was to stop."""
        self._do(self._chosen(which, (PAUSING, CANCELLING)), "stop")

    @precondition(lambda self: self._in(WORKS))
    @rule(which=WHICH, what=st.sampled_from(["succeed", "fail", "stop", "wait_again"]))
    def end(self, which: int, what: str) -> None:
        """Ends the worker of a job that has one."""
        self._do(self._chosen(which, WORKS), what)

    @precondition(lambda self: self._in(WORKS))
    @rule(which=WHICH)
    def tell(self, which: int) -> None:
        """Tells of a step."""
        step = pb.JobEvent(step_finished=pb.StepFinished(steps_done=1))
        job_id = self._chosen(which, WORKS)
        self.store.record(job_id, lambda job: step)
        self.changes[job_id] += 1

    @rule(often=st.integers(0, 5))
    def crash(self, often: int) -> None:
        """Opens the store again, and puts right what was running; not too often."""
        if often < 5:
            return
        self.store.close()
        self._open()
        for job in self.store.in_state(*ACTIVE):
            self._do(job.id, "wait_again")

    @precondition(lambda self: self.expected)
    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        """Deletes a job, which only goes where it has ended."""
        job_id = self._chosen(which, STATES)
        if self.expected[job_id] in ENDED:
            self.store.delete_job(job_id)
            del self.expected[job_id], self.changes[job_id]
            with pytest.raises(JobNotFound):
                self.store.delete_job(job_id)
        else:
            with pytest.raises(JobBusy):
                self.store.delete_job(job_id)

    @invariant()
    def agrees(self) -> None:
        """Compares all jobs with what they should be."""
        found = {job.id: job for job in self.store.jobs(100, "")[0]}
        assert {job_id: _name(job) for job_id, job in found.items()} == self.expected
        filed = self.store.filed()
        for job_id, job in found.items():
            assert (job.state in FINISHED) == job.HasField("end_time")
            assert filed[job_id] == (job.state, job.last_sequence)
            assert job.last_sequence == self.changes[job_id]
            numbers = [event.sequence for event in self.store.events(job_id, 0)]
            assert numbers == list(range(1, job.last_sequence + 1))
            assert bool(job.model) == (_name(job) == DONE)
        assert self.store.bundles() == set(self.models)

    @invariant()
    def knows_whose_turn_it_is(self) -> None:
        """Compares the head of the queue with what it should be."""
        waiting = [job_id for job_id, state in self.expected.items() if state == Q]
        found = self.store.next_queued([])
        assert (found[0].id if found else None) == min(
            waiting, key=lambda job_id: (-self.priorities[job_id], job_id), default=None
        )

    def _in(self, states: Container[str]) -> list[str]:
        """Returns the jobs that should be in some states."""
        return [job_id for job_id, state in self.expected.items() if state in states]

    def _chosen(self, which: int, states: Container[str]) -> str:
        found = self._in(states)
        return found[which % len(found)]

    def _do(self, job_id: str, what: str) -> None:
        before = self.expected[job_id]
        after = TABLE[what].get(before, before)
        if isinstance(after, type):
            with pytest.raises(after):
                self.store.record(job_id, ASKED[what])
        elif what == "succeed":
            self.store.record_model(models_pb2.Model(name="m", job_id=job_id))
            self.models[job_id] = job_id
            self.expected[job_id] = after
            self.changes[job_id] += 2
        else:
            change: Callable[[Job], pb.JobEvent | None] = ASKED[what]
            _, event = self.store.record(job_id, change)
            assert (event is not None) == (after != before)
            self.expected[job_id] = after
            self.changes[job_id] += after != before


def _name(job: Job) -> str:
    return Job.State.Name(job.state).removeprefix("STATE_")


Jobs.TestCase.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)
TestJobs = Jobs.TestCase
