"""What concerns jobs and models together, each in one transaction."""

import json
import re

from dlae.v1 import models_pb2 as pb
from dlae_server.errors import ModelInUse
from dlae_server.jobs.states import FINISHED, NAMES, succeed
from dlae_server.models.registry import Version
from dlae_server.models.signature import Signature
from dlae_server.store.aliases import Aliases
from dlae_server.store.jobs import Job, Jobs

# A file that `jobs/checkpoints.py` puts in the place of a reference.
_LEFT_BY_A_JOB = re.compile(r"/(?:jobs|models)/([^/]+)/(?:checkpoint\.dlae|model\.keras)")
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
            users = [*(f"the alias {name}@{alias}" for alias in model.aliases), *self._heirs(model)]
            if users and not force:
                raise ModelInUse(f"{name}@{model.version}", users)
            for alias in model.aliases:
                self._drop(model, alias, by)
            self._connection.execute(
                "DELETE FROM models WHERE name = ? AND version = ?", (name, model.version)
            )
            kind = pb.ModelChange.KIND_DELETED
            change = pb.ModelChange(kind=kind, version=model.version, who=by.who, why=by.why)
            self._note(name, change)
            return model

    def _heirs(self, model: pb.Model) -> list[str]:
        """Returns the jobs that have not ended and go on from a model, or predict with it."""
        waiting = [state for state in NAMES if state not in FINISHED]
        reference = f"{model.name}@{model.version}"
        return [
            f"the job {job.id}"
            for job in self.in_state(*waiting)
            if job.model == reference or _begun_by(self.config(job.id)) == model.bundle
        ]

    def _parent(self, config: str) -> str:
        """Returns where the training of a configuration began; empty where with nothing."""
        job_id = _begun_by(config)
        row = self._connection.execute(
            "SELECT name, version FROM models WHERE bundle = ?", (job_id,)
        ).fetchone()
        if row:
            return f"{row[0]}@{row[1]}"
        return f"job:{job_id}" if job_id and self.has_job(job_id) else ""


def _begun_by(config: str) -> str:
    """Returns the job, or the bundle, whose files a training goes on from; empty for none."""
    sections = json.loads(config)
    if sections.get("config_file", {}).get("type_signal") != CONTINUED:
        return ""
    found = _LEFT_BY_A_JOB.search(sections.get("paths", {}).get("load_checkpoint", ""))
    return found[1] if found else ""
