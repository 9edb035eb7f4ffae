"""The store: jobs, their events and the models they made, in SQLite.

One connection, used by one thread. Every change and its event are on disk before they are told.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from dlae.v1 import models_pb2, training_pb2
from dlae_server.errors import CannotStart, InvalidRequest, JobNotFound, ModelNotFound
from dlae_server.jobs.states import succeed

State = training_pb2.Job.State
Job = training_pb2.Job
JobEvent = training_pb2.JobEvent

# Migrations by number: entry n brings a store of version n to n + 1.
MIGRATIONS = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        state INTEGER NOT NULL,
        config TEXT NOT NULL,
        job BLOB NOT NULL
    );
    CREATE INDEX jobs_by_state ON jobs (state, number);
    CREATE TABLE events (
        job_id TEXT NOT NULL REFERENCES jobs (id),
        sequence INTEGER NOT NULL,
        kind TEXT NOT NULL,
        event BLOB NOT NULL,
        PRIMARY KEY (job_id, sequence)
    ) WITHOUT ROWID;
    CREATE TABLE models (
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
        model BLOB NOT NULL,
        PRIMARY KEY (name, version)
    );
    """,
)


class Store:
    """Jobs, events and models on disk.

    Raises:
        CannotStart: The file was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        # The one thread that uses the connection is not the one that makes it.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            self._connection.close()
            raise CannotStart(
                f"expected a store of version {len(MIGRATIONS)} or older in {path}, got version "
                f"{version}; start the version of dlae-server that wrote it"
            )
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(
                f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;"
            )

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()

    def add_job(self, job: Job, config: str, event: JobEvent) -> Job:
        """Records a new job with its first event."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO jobs (id, state, config, job) VALUES (?, ?, ?, ?)",
                (job.id, job.state, config, job.SerializeToString()),
            )
            return self._append(job, event)

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

    def record_model(self, model: models_pb2.Model) -> Job:
        """Stores a model as the next version of its name and ends its job, in one transaction.

        Args:
            model: Complete but for its version, which is filled in.
        """
        with self._transaction():
            (version,) = self._connection.execute(
                "SELECT COALESCE(MAX(version), 0) + 1 FROM models WHERE name = ?", (model.name,)
            ).fetchone()
            model.version = version
            self._connection.execute(
                "INSERT INTO models VALUES (?, ?, ?, ?)",
                (model.name, version, model.job_id, model.SerializeToString()),
            )
            job = self.job(model.job_id)
            job.metrics.update(model.metrics)
            for event in succeed(job, f"{model.name}@{version}"):
                self._append(job, event)
            return job

    def has_job(self, job_id: str) -> bool:
        """Returns whether there is a job of this id."""
        rows = self._connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,))
        return rows.fetchone() is not None

    def job(self, job_id: str) -> Job:
        """Returns a job.

        Raises:
            JobNotFound: There is none of this id.
        """
        row = self._connection.execute("SELECT job FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise JobNotFound(job_id)
        return Job.FromString(row[0])

    def config(self, job_id: str) -> str:
        """Returns the configuration of a job as text."""
        (text,) = self._connection.execute(
            "SELECT config FROM jobs WHERE id = ?", (job_id,)
        ).fetchone()
        return str(text)

    def jobs(self, size: int, token: str) -> tuple[list[Job], str]:
        """Returns a page of jobs, the newest first, and the token of the next page.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        before = _number(token) if token else 1 << 62
        rows = self._connection.execute(
            "SELECT number, job FROM jobs WHERE number < ? ORDER BY number DESC LIMIT ?",
            (before, size + 1),
        ).fetchall()
        following = str(rows[size - 1][0]) if len(rows) > size else ""
        return [Job.FromString(blob) for _, blob in rows[:size]], following

    def in_state(self, *states: "State") -> list[Job]:
        """Returns the jobs in some states, the oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._connection.execute(
            f"SELECT job FROM jobs WHERE state IN ({marks}) ORDER BY number", states
        )
        return [Job.FromString(blob) for (blob,) in rows]

    def count_by_state(self) -> dict[int, int]:
        """Returns how many jobs are in each state."""
        return dict(self._connection.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state"))

    def events(self, job_id: str, after: int, limit: int = 500) -> list[JobEvent]:
        """Returns events of a job in order, from the one after a sequence number."""
        rows = self._connection.execute(
            "SELECT event FROM events WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (job_id, after, limit),
        )
        return [JobEvent.FromString(blob) for (blob,) in rows]

    def epoch(self, job_id: str, number: int) -> training_pb2.EpochFinished | None:
        """Returns what was last told of an epoch of a job, from 1; None where nothing was."""
        rows = self._connection.execute(
            "SELECT event FROM events WHERE job_id = ? AND kind = 'epoch_finished' "
            "ORDER BY sequence DESC",
            (job_id,),
        )
        events = (JobEvent.FromString(blob).epoch_finished for (blob,) in rows)
        return next((event for event in events if event.progress.epoch == number), None)

    def model(self, name: str, version: int | None) -> models_pb2.Model:
        """Returns a version of a model, the newest where none is named.

        Raises:
            ModelNotFound: There is no such model or version.
        """
        row = self._connection.execute(
            "SELECT model FROM models WHERE name = ? AND (? IS NULL OR version = ?) "
            "ORDER BY version DESC LIMIT 1",
            (name, version, version),
        ).fetchone()
        if row is None:
            raise ModelNotFound(name if version is None else f"{name}@{version}")
        return models_pb2.Model.FromString(row[0])

    def models(self, size: int, token: str) -> tuple[list[models_pb2.Model], str]:
        """Returns a page of models by name, the newest first, and the token of the next page.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        start = _number(token) if token else 0
        rows = self._connection.execute(
            "SELECT model FROM models ORDER BY name, version DESC LIMIT ? OFFSET ?",
            (size + 1, start),
        ).fetchall()
        following = str(start + size) if len(rows) > size else ""
        return [models_pb2.Model.FromString(blob) for (blob,) in rows[:size]], following

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

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._connection)


class _Transaction:
    """Commits at the end, or undoes everything where an error comes through."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _number(token: str) -> int:
    if not (token.isascii() and token.isdigit() and len(token) < 18):
        raise InvalidRequest(f"expected a page token of this server, got '{token[:40]}'")
    return int(token)
