"""Folders of servers, written without one."""

import hashlib
from pathlib import Path

from dlae.v1.datasets_pb2 import Dataset
from dlae.v1.models_pb2 import Model
from dlae.v1.training_pb2 import JobEvent
from dlae_server.datasets.files import dataset_file
from dlae_server.jobs.results import stored
from dlae_server.jobs.states import Job, enter
from dlae_server.models.registry import model_from_bundle
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE
from tests.dlae_server.fakes import write_bundle

DATA = b"samples"
SHA256 = hashlib.sha256(DATA).hexdigest()


def add_model(store: Store, data_dir: Path, job_id: str, name: str = "m") -> Model:
    """Adds a job that has made a model."""
    job = Job(id=job_id, name=name)
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    store.record(job_id, lambda job: enter(job, Job.STATE_RUNNING))
    bundle = data_dir / "models" / job_id
    bundle.mkdir(parents=True)
    write_bundle(bundle, "{}")
    model = model_from_bundle(bundle, job)
    store.record_model(model)
    (data_dir / "jobs" / job_id).mkdir(parents=True)
    (data_dir / "jobs" / job_id / "checkpoint.dlae").write_bytes(b"weights")
    return model


def server_folder(data_dir: Path) -> Path:
    """Writes a folder with `m@1`, `m@2` (jobs `a`, `b`), the waiting job `w`, and the session `s`.

    The session has written a file; a client has brought data. Returns the folder.
    """
    data_dir.mkdir(parents=True)
    store = Store(data_dir / STORE_FILE)
    for job_id in ("a", "b"):
        add_model(store, data_dir, job_id)
    job = Job(id="w", name="m")
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    session = Job(id="s", name="m")
    store.add_job(session, "{}", enter(session, Job.STATE_QUEUED))
    store.record("s", lambda job: _ended(job, data_dir))
    path = dataset_file(data_dir, SHA256)
    path.parent.mkdir()
    path.write_bytes(DATA)
    store.add_dataset(Dataset(sha256=SHA256, size_bytes=len(DATA)), "ct")
    store.close()
    return data_dir


def _ended(job: Job, data_dir: Path) -> JobEvent:
    """Ends a session that has written a file."""
    file = data_dir / "predictions.h5"
    file.write_bytes(b"predictions")
    job.results.append(stored(file, data_dir, job.id))
    return enter(job, Job.STATE_SUCCEEDED)
