"""Jobs and their events on disk."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from dlae.v1 import training_pb2
from dlae_server.access.projects import DEFAULT
from dlae_server.errors import JobNotFound, RequestIdInUse
from dlae_server.store.connection import page_number
from dlae_server.store.datasets import Datasets

Job = training_pb2.Job
ListJobsRequest = training_pb2.ListJobsRequest
# Text of SQL, and its values.
Condition: TypeAlias = tuple[str, list[int | str]]
JobEvent = training_pb2.JobEvent


class Jobs(Datasets):
    """Jobs and their events."""

    def add_job(self, job: Job, config: str, event: JobEvent, request: str = "") -> Job:
        """Records a new job with its first event; or returns the one that the request has made.

        Args:
            job: The job.
            config: What it is to do.
            event: The event.
            request: Digest of all that was asked for.

        Raises:
            RequestIdInUse: Something else was asked for under the same request id.
            InvalidConfig: A data file that it needs has been deleted since it was checked.
        """
        options, project = job.options, job.project or DEFAULT
        with self._transaction():
            made = self.requested(options.request_id, request, project)
            if made is not None:
                return made
            self._require_data(config, project)
            self._connection.execute(
                "INSERT INTO jobs (id, state, kind, config, job, name, user, priority, request_id, "
                "request, project) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(job.id, job.state, job.kind, config, job.SerializeToString(), job.name),
                    *(options.user, options.priority, options.request_id or None, request, project),
                ),
            )
            self._connection.executemany(
                "INSERT INTO labels VALUES (?, ?, ?)",
                [(name, value, job.id) for name, value in options.labels.items()],
            )
            self._note_needs(job.id, config)
            return self._append(job, event)

    def requested(self, request_id: str, request: str, project: str = DEFAULT) -> Job | None:
        """Returns the job that a request of a project has made; None where there is none.

        Raises:
            RequestIdInUse: Something else was asked for under the same request id.
        """
        row = self._connection.execute(
            "SELECT job, request FROM jobs WHERE request_id = ? AND project = ?",
            (request_id, project),
        ).fetchone()
        if row is None:
            return None
        job = Job.FromString(row[0])
        if row[1] != request:
            raise RequestIdInUse(job.id)
        return job

    def record(
        self, job_id: str, change: Callable[[Job], JobEvent | None]
    ) -> tuple[Job, JobEvent | None]:
        """Changes a job and appends the event that tells of it, in one transaction.

        Args:
            job_id: Identifier of the job.
            change: Looks at the job, changes it and returns the event; None leaves all as it is.

        Returns:
            The job after the change, and the event.

        Raises:
            JobNotFound: There is no such job.
        """
        with self._transaction():
            job = self.job(job_id)
            event = change(job)
            return (self._append(job, event) if event else job), event

    def has_job(self, job_id: str) -> bool:
        """Returns whether there is a job of this id."""
        rows = self._connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,))
        return rows.fetchone() is not None

    def job(self, job_id: str, project: str | None = None) -> Job:
        """Returns a job.

        Args:
            job_id: Its identifier.
            project: Whose job it has to be; None: anybody's.

        Raises:
            JobNotFound: There is none of this id.
        """
        row = self._connection.execute(
            "SELECT job FROM jobs WHERE id = ?1 AND (?2 IS NULL OR project = ?2)", (job_id, project)
        ).fetchone()
        if row is None:
            raise JobNotFound(job_id)
        return Job.FromString(row[0])

    def config(self, job_id: str) -> str:
        """Returns the configuration of a job as text."""
        (text,) = self._connection.execute(
            "SELECT config FROM jobs WHERE id = ?", (job_id,)
        ).fetchone()
        return str(text)

    def jobs(
        self,
        size: int,
        token: str,
        wanted: ListJobsRequest | None = None,
        project: str | None = None,
    ) -> tuple[list[Job], str]:
        """Returns a page of jobs, the newest first, and the token of the next page.

        Args:
            size: Most jobs of the page.
            token: Token of the page, empty for the first.
            wanted: Its filters say which jobs; None: all.
            project: Whose jobs; None: everybody's.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        before = page_number(token) if token else 1 << 62
        conditions: list[Condition] = [
            ("number < ?", [before]),
            *_conditions(wanted or ListJobsRequest()),
        ]
        if project is not None:
            conditions.append(("project = ?", [project]))
        rows = self._connection.execute(
            f"SELECT number, job FROM jobs WHERE {' AND '.join(text for text, _ in conditions)} "
            "ORDER BY number DESC LIMIT ?",
            [*(value for _, values in conditions for value in values), size + 1],
        ).fetchall()
        following = str(rows[size - 1][0]) if len(rows) > size else ""
        return [Job.FromString(blob) for _, blob in rows[:size]], following

    def in_state(self, *states: int) -> list[Job]:
        """Returns the jobs in some states, the oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._connection.execute(
            f"SELECT job FROM jobs WHERE state IN ({marks}) ORDER BY number", states
        )
        return [Job.FromString(blob) for (blob,) in rows]

    def count_by_state(self) -> dict[int, int]:
        """Returns how many jobs are in each state."""
        return dict(self._connection.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state"))

    def count_by_kind(self) -> dict[tuple[int, int], int]:
        """Returns how many jobs of each kind are in each state."""
        rows = self._connection.execute(
            "SELECT kind, state, COUNT(*) FROM jobs GROUP BY kind, state"
        )
        return {(kind, state): count for kind, state, count in rows}

    def count_by_user(self, *states: int) -> dict[str, int]:
        """Returns how many jobs in some states each user has who has any."""
        marks = ", ".join("?" * len(states))
        rows = self._connection.execute(
            f"SELECT user, COUNT(*) FROM jobs WHERE state IN ({marks}) GROUP BY user", states
        )
        return dict(rows)

    def count_of_user(self, user: str, state: int, project: str = DEFAULT) -> int:
        """Returns how many jobs of a project a user has in a state."""
        (count,) = self._connection.execute(
            "SELECT COUNT(*) FROM jobs WHERE user = ? AND state = ? AND project = ?",
            (user, state, project),
        ).fetchone()
        return int(count)

    def next_queued(self, without: list[str]) -> tuple[Job, str] | None:
        """Returns the waiting job whose turn it is, and what it is to do; None where there is none.

        Args:
            without: Users whose jobs are passed over.
        """
        marks = ", ".join("?" * len(without))
        row = self._connection.execute(
            f"SELECT job, config FROM jobs WHERE state = ? AND user NOT IN ({marks}) "
            "ORDER BY priority DESC, number LIMIT 1",
            (Job.STATE_QUEUED, *without),
        ).fetchone()
        return (Job.FromString(row[0]), str(row[1])) if row else None

    def filed(self) -> dict[str, tuple[int, int]]:
        """Returns under which state each job is filed, and the number of its latest event."""
        rows = self._connection.execute(
            "SELECT id, state, (SELECT MAX(sequence) FROM events WHERE job_id = jobs.id) FROM jobs"
        )
        return {job_id: (state, last or 0) for job_id, state, last in rows}

    def events(self, job_id: str, after: int, limit: int = 500) -> list[JobEvent]:
        """Returns events of a job in order, from the one after a sequence number."""
        rows = self._connection.execute(
            "SELECT event FROM events WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (job_id, after, limit),
        )
        return [JobEvent.FromString(blob) for (blob,) in rows]

    def news(self, job_id: str, after: int) -> tuple[Job, list[JobEvent]]:
        """Returns a job, and its events from the one after a sequence number.

        Raises:
            JobNotFound: There is no such job.
        """
        return self.job(job_id), self.events(job_id, after)

    def epoch(self, job_id: str, number: int) -> training_pb2.EpochFinished | None:
        """Returns what was last told of an epoch of a job, from 1; None where nothing was."""
        rows = self._connection.execute(
            "SELECT event FROM events WHERE job_id = ? AND kind = 'epoch_finished' "
            "ORDER BY sequence DESC",
            (job_id,),
        )
        events = (JobEvent.FromString(blob).epoch_finished for (blob,) in rows)
        return next((event for event in events if event.progress.epoch == number), None)

    def _append(self, job: Job, event: JobEvent) -> Job:
        job.last_sequence += 1
        event.sequence = job.last_sequence
        kind = event.WhichOneof("kind")
        if kind == "epoch_finished":
            # An epoch's own event says all that its steps said.
            self._connection.execute(
                "DELETE FROM events WHERE job_id = ? AND kind = 'step_finished'", (job.id,)
            )
        self._connection.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?)",
            (job.id, event.sequence, kind, event.SerializeToString()),
        )
        self._connection.execute(
            "UPDATE jobs SET state = ?, job = ? WHERE id = ?",
            (job.state, job.SerializeToString(), job.id),
        )
        return job


def _conditions(wanted: ListJobsRequest) -> Iterator[Condition]:
    """Yields what filters ask for, as conditions with their values."""
    if wanted.states:
        yield f"state IN ({', '.join('?' * len(wanted.states))})", [*wanted.states]
    for column in ("name", "user"):
        if value := getattr(wanted, column):
            yield f"{column} = ?", [value]
    for name, value in wanted.labels.items():
        yield "id IN (SELECT job_id FROM labels WHERE name = ? AND value = ?)", [name, value]
