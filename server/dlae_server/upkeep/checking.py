"""Whether a server's folder is what its store says, file by file and job by job."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlae.v1.datasets_pb2 import Dataset
from dlae.v1.models_pb2 import Model
from dlae.v1.training_pb2 import ResultFile
from dlae_core.bundle import Bundle, FileEntry, file_sha256
from dlae_core.errors import DlaeError
from dlae_server.access.projects import key_of
from dlae_server.datasets.files import dataset_file
from dlae_server.jobs.results import results_folder
from dlae_server.jobs.states import FINISHED, Job
from dlae_server.models.files import COMING, LEAVING, models_folder
from dlae_server.models.objects import all_objects
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE

PAGE = 500


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        place: What it is about: `model tissue@3`, `job tissue-7k3f`, `store`, `folder models/x`.
        problem: What is wrong.
        stray: The folder or file that nothing needs, where that is all; None otherwise.
    """

    place: str
    problem: str
    stray: Path | None = None


def check(data_dir: Path) -> list[Finding]:
    """Returns everything that is wrong in a server's folder, which may be running.

    Raises:
        CannotStart: There is no store of this version.
    """
    store = Store(data_dir / STORE_FILE, read_only=True)
    try:
        damage = [Finding("store", sentence) for sentence in store.damage()]
        return damage or [
            *_models(store, data_dir),
            *_jobs(store, data_dir),
            *_data(store, data_dir),
            *_strays(store, data_dir),
            *_objects(store, data_dir),
        ]
    finally:
        store.close()


def remove_strays(findings: list[Finding]) -> list[Finding]:
    """Removes what nothing needs; returns the other findings. No server may be running."""
    for finding in findings:
        if finding.stray and finding.stray.is_dir():
            shutil.rmtree(finding.stray, ignore_errors=True)
        elif finding.stray:
            finding.stray.unlink(missing_ok=True)
    return [finding for finding in findings if not finding.stray or finding.stray.exists()]


def all_models(store: Store) -> Iterator[Model]:
    """Yields all models of a store."""
    token, more = "", True
    while more:
        models, token = store.models(PAGE, token)
        yield from models
        more = bool(token)


def all_jobs(store: Store) -> Iterator[Job]:
    """Yields all jobs of a store."""
    token, more = "", True
    while more:
        jobs, token = store.jobs(PAGE, token)
        yield from jobs
        more = bool(token)


def all_datasets(store: Store) -> Iterator[Dataset]:
    """Yields all data files of a store."""
    token, more = "", True
    while more:
        datasets, token = store.datasets(PAGE, token, project=None)
        yield from datasets
        more = bool(token)


def _models(store: Store, data_dir: Path) -> Iterator[Finding]:
    for model in all_models(store):
        for problem in _problems(model, models_folder(data_dir) / model.bundle):
            key = key_of(model.project, model.name)
            yield Finding(f"model {key}@{model.version}", problem)


def _problems(model: Model, folder: Path) -> Iterator[str]:
    """Yields what is wrong with the files of a model, which have checksums twice."""
    try:
        Bundle.open(folder)
        for file in model.files:
            if FileEntry.of(folder / file.name) != FileEntry(file.size_bytes, file.sha256):
                yield f"{file.name} is not what the store says"
    except (DlaeError, OSError) as error:
        yield str(error)


def _jobs(store: Store, data_dir: Path) -> Iterator[Finding]:
    filed = store.filed()
    for job in all_jobs(store):
        place = f"job {job.id}"
        state, last = filed.get(job.id, (job.state, job.last_sequence))
        if state != job.state:
            yield Finding(place, "is filed under another state than its own")
        if last != job.last_sequence:
            yield Finding(place, f"has {last} events, but says {job.last_sequence}")
        if (job.state in FINISHED) != job.HasField("end_time"):
            yield Finding(place, "has ended without a time, or has a time without having ended")
        for file in job.results:
            if not _is_whole(results_folder(data_dir, job.id) / file.name, file):
                yield Finding(
                    place, f"its result {file.name} is not there, or not what was written"
                )


def _data(store: Store, data_dir: Path) -> Iterator[Finding]:
    for dataset in all_datasets(store):
        if not _is_whole(dataset_file(data_dir, dataset.sha256), dataset):
            place = f"data file sha256:{dataset.sha256}"
            yield Finding(place, "is not there, or not what was uploaded")


def _is_whole(path: Path, file: ResultFile | Dataset) -> bool:
    try:
        return FileEntry.of(path) == FileEntry(file.size_bytes, file.sha256)
    except OSError:
        return False


def _strays(store: Store, data_dir: Path) -> Iterator[Finding]:
    known = store.bundles()
    for folder in _folders(models_folder(data_dir)):
        passing = folder.name.startswith((LEAVING, COMING))
        if folder.name in known or (not passing and _is_under_way(store, folder.name)):
            continue
        yield Finding(f"folder models/{folder.name}", "belongs to no model", folder)
    for folder in _folders(data_dir / "jobs"):
        if not store.has_job(folder.name):
            yield Finding(f"folder jobs/{folder.name}", "belongs to no job", folder)


def _objects(store: Store, data_dir: Path) -> Iterator[Finding]:
    """Yields objects that nothing needs: no model has them, or they would not be handed on."""
    files = {
        file.sha256: models_folder(data_dir) / model.bundle / file.name
        for model in all_models(store)
        for file in model.files
    }
    for path in all_objects(data_dir):
        place = f"file {path.relative_to(data_dir)}"
        # A server that runs may remove one.
        with suppress(FileNotFoundError):
            if path.stat().st_nlink == 1:
                yield Finding(place, "belongs to no model", path)
            elif not _is_same(path, files.get(path.name)) and file_sha256(path) != path.name:
                yield Finding(place, "is not what its name says", path)


def _is_same(path: Path, file: Path | None) -> bool:
    """Returns whether an object is a file of a model, whose checksum is compared anyway."""
    return file is not None and file.exists() and file.samefile(path)


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _is_under_way(store: Store, job_id: str) -> bool:
    """Returns whether a job may be about to tell of its model."""
    return store.has_job(job_id) and store.job(job_id).state not in FINISHED
