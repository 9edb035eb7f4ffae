"""What concerns jobs and models together, each in one transaction."""

import json
import re
from itertools import islice

from dlae.v1 import models_pb2 as pb
from dlae_server.access.projects import name_of
from dlae_server.errors import JobBusy, ModelInUse
from dlae_server.jobs.states import FINISHED, NAMES, succeed
from dlae_server.models.registry import Version
from dlae_server.models.signature import Signature
from dlae_server.store.aliases import Aliases
from dlae_server.store.datasets import MOST_USERS
from dlae_server.store.jobs import Job, Jobs

# A file that `jobs/checkpoints.py` puts in the place of a reference.
_LEFT_BY_A_JOB = re.compile(r"/(?:jobs|models)/([^/]+)/(?:checkpoint\.dlae|model\.keras)")
# What `jobs/served.py` puts in the place of a reference.
_BUNDLE = re.compile(r"/models/([^/]+)$")
CONTINUED = "Train from Checkpoint"


class Store(Jobs, Aliases):
    """Jobs, events, models and aliases on disk.

    Raises:
        CannotStart: As `Connection`.
    """

    def record_model(self, model: pb.Model) -> Job:
        """Stores a model as the next version of its name and ends its job, in one transaction.

        Args:
            model: Complete but for its version and its parent, which are filled in.
        """
        with self._transaction():
            model.parent = self._parent(self.config(model.job_id))
            self._add(model, pb.ModelChange())
            job = self.job(model.job_id)
            job.metrics.update(model.metrics)
            for event in succeed(job, f"{model.name}@{model.version}"):
                self._append(job, event)
            return job

    def record_import(self, model: pb.Model, by: Signature) -> pb.Model:
        """Stores a model that no job made as the next version of its name; returns it."""
        with self._transaction():
            self._add(model, pb.ModelChange(who=by.who, why=by.why))
            return model

    def delete_model(self, name: str, version: Version, force: bool, by: Signature) -> pb.Model:
        """Deletes a version; returns it as it was.

        Args:
            name: Name of the model.
            version: Number or alias; None: the newest.
            force: Whether to delete it although it is in use; its aliases go with it.
            by: Who and why.

        Raises:
            ModelNotFound: There is no such version.
            ModelInUse: It is in use, and `force` is not set.
        """
        with self._transaction():
            model = self.model(name, version)
            plain = name_of(name)
            users = [
                *(f"the alias {plain}@{alias}" for alias in model.aliases),
                *self._heirs(model),
            ]
            if users and not force:
                raise ModelInUse(f"{plain}@{model.version}", users)
            for alias in model.aliases:
                self._drop(model, alias, by)
            self._connection.execute(
                "DELETE FROM models WHERE name = ? AND version = ?", (name, model.version)
            )
            kind = pb.ModelChange.KIND_DELETED
            change = pb.ModelChange(kind=kind, version=model.version, who=by.who, why=by.why)
            self._note(name, change)
            return model

    def is_taken(self, job_id: str) -> bool:
        """Returns whether a new job cannot have an id: another has it, or had it and left files."""
        row = self._connection.execute(
            "SELECT 1 FROM jobs WHERE id = ?1 UNION ALL SELECT 1 FROM models WHERE bundle = ?1 "
            "UNION ALL SELECT 1 FROM removals WHERE job_id = ?1 LIMIT 1",
            (job_id,),
        ).fetchone()
        return row is not None

    def delete_job(self, job_id: str) -> Job:
        """Deletes a job that has ended, and notes that its folder is to go; returns it as it was.

        The model that it made stays.

        Raises:
            JobBusy: It has not ended, or a job that has not goes on from its checkpoint.
            JobNotFound: There is no such job.
        """
        with self._transaction():
            job = self.job(job_id)
            if job.state not in FINISHED:
                raise JobBusy(job_id, f"has not ended, it is {NAMES[job.state]}; cancel it first")
            self._require_no_successor(job_id)
            execute = self._connection.execute
            execute("UPDATE models SET job_id = NULL WHERE job_id = ?", (job_id,))
            for table, column in (("events", "job_id"), ("labels", "job_id"), ("jobs", "id")):
                execute(f"DELETE FROM {table} WHERE {column} = ?", (job_id,))
            execute("INSERT OR IGNORE INTO removals VALUES (?)", (job_id,))
            return job

    def removals(self) -> list[str]:
        """Returns the deleted jobs whose folders are still to go."""
        return [job_id for (job_id,) in self._connection.execute("SELECT job_id FROM removals")]

    def removed(self, job_id: str) -> None:
        """Notes that the folder of a deleted job is gone."""
        self._connection.execute("DELETE FROM removals WHERE job_id = ?", (job_id,))

    def ended_before(self, seconds: float) -> list[str]:
        """Returns the jobs that ended before a time, in seconds since 1970, the oldest first."""
        return [
            job.id
            for job in self.in_state(*FINISHED)
            if job.HasField("end_time") and job.end_time.ToNanoseconds() < seconds * 1e9
        ]

    def _require_no_successor(self, job_id: str) -> None:
        """Raises `JobBusy` where a job that has not ended goes on from what another has left."""
        for other, config, _ in self._needing(job_id):
            if _begun_by(config) == job_id:
                raise JobBusy(job_id, f"has the checkpoint that job '{other}' goes on from")

    def _heirs(self, model: pb.Model) -> list[str]:
        """Returns the jobs that have not ended and go on from a model, or predict with it."""
        heirs = (
            job_id
            for job_id, config, _ in self._needing(model.bundle)
            if _predicts_with(config) == model.bundle or _begun_by(config) == model.bundle
        )
        return [f"the job {job_id}" for job_id in islice(heirs, MOST_USERS)]

    def _parent(self, config: str) -> str:
        """Returns where the training of a configuration began; empty where with nothing."""
        job_id = _begun_by(config)
        row = self._connection.execute(
            "SELECT name, version FROM models WHERE bundle = ?", (job_id,)
        ).fetchone()
        if row:
            return f"{name_of(row[0])}@{row[1]}"
        return f"job:{job_id}" if job_id and self.has_job(job_id) else ""


def _predicts_with(config: str) -> str:
    """Returns the bundle that a session of inference applies; empty for none."""
    paths = json.loads(config).get("paths", {})
    found = _BUNDLE.search(paths.get("load_model", ""))
    return found[1] if found else ""


def _begun_by(config: str) -> str:
    """Returns the job, or the bundle, whose files a training goes on from; empty for none."""
    sections = json.loads(config)
    if sections.get("config_file", {}).get("type_signal") != CONTINUED:
        return ""
    found = _LEFT_BY_A_JOB.search(sections.get("paths", {}).get("load_checkpoint", ""))
    return found[1] if found else ""
