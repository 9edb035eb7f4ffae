"""A server's folder copied while it runs, and brought back.

    backup.json     what the backup is, and the checksum of the store
    dlae.sqlite3    the store at one instant
    models/         the files of its models; what several have is one file, where the disk has links
    datasets/       the data files that clients brought
    audit/          the audit log
    jobs/           of jobs that have ended: the last checkpoint, the log, and what they wrote; of
                    paused ones their work, with which they go on

The work of a job that is running is not copied: in a server that is brought back it waits, and
begins anew. So does a paused one whose data clients had brought, where it is brought back into
another folder: checkpoints belong to paths too. Weights of ImageNet and server settings are not
copied either.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlae
from dlae.v1.datasets_pb2 import Dataset
from dlae.v1.models_pb2 import Model
from dlae_core.bundle import file_sha256, sync_folder, write_text
from dlae_core.errors import CorruptArtifact, StorageFailed
from dlae_server.audit.copying import copy_log, restore_log
from dlae_server.datasets.files import dataset_file
from dlae_server.errors import CannotStart, JobNotFound
from dlae_server.jobs.checkpoints import CHECKPOINT_FILE, job_folder
from dlae_server.jobs.results import results_folder
from dlae_server.jobs.states import FINISHED, Job
from dlae_server.models.files import models_folder
from dlae_server.store import MIGRATIONS, Store
from dlae_server.store.connection import STORE_FILE
from dlae_server.upkeep.checking import all_datasets, all_jobs, all_models, check
from dlae_server.upkeep.copying import Links, copy, link, sync_folders

FORMAT = 1
CARD_FILE = "backup.json"
OF_JOBS = (CHECKPOINT_FILE, "worker.log")
# Of the work of a paused job: what is made again, and what is of its process.
NOT_WORK = ("cache", "lock")
# Models may be deleted between the copy of the store and that of their files.
ATTEMPTS = 5


def back_up(data_dir: Path, target: Path) -> dict[str, Any]:
    """Copies a server's folder, which may be running; returns what the backup is.

    Raises:
        CannotStart: There is no store of this version, or the target exists.
        CorruptArtifact: A file of a model, or a data file, is damaged: a backup would only hide it.
        StorageFailed: The disk is full or cannot be written.
    """
    if target.exists():
        raise CannotStart(f"expected a new folder, but {target} exists; name another")
    # So a crash leaves no folder that looks like a backup; the next one clears it away.
    part = target.with_name(f".{target.name}.writing")
    with _storage_errors(target):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _copy_whole(data_dir, part)
        card = {**_card(part, data_dir), **copy_log(data_dir, part)}
        write_text(part / CARD_FILE, json.dumps(card, indent=1) + "\n")
        sync_folders(part)
        part.replace(target)
        sync_folder(target.parent)
    return card


def restore(backup: Path, data_dir: Path) -> dict[str, Any]:
    """Brings a backup back into a folder that has no store; returns what the backup is.

    As `audit` it returns besides what a record of it should say.

    Raises:
        CannotStart: It is no backup, or the folder has a store.
        CorruptArtifact: The backup is damaged.
        StorageFailed: The disk is full or cannot be written.
    """
    card = _checked(backup)
    if (data_dir / STORE_FILE).exists():
        raise CannotStart(
            f"expected a folder without a store, but {data_dir} has one; name another"
        )
    with _storage_errors(data_dir):
        links = Links()
        for name in ("models", "jobs", "datasets"):
            if (backup / name).is_dir():
                links.copy_tree(backup / name, data_dir / name)
                sync_folders(data_dir / name)
        told = restore_log(backup, card, data_dir)
        part = data_dir / f".{STORE_FILE}.restoring"
        copy(backup / STORE_FILE, part)
        _move(part, card.get("folder", ""), data_dir)
        for left in (f"{STORE_FILE}-wal", f"{STORE_FILE}-shm"):
            (data_dir / left).unlink(missing_ok=True)
        # Last: with the store, all that it speaks of is there.
        part.replace(data_dir / STORE_FILE)
        sync_folder(data_dir)
    return {**card, "audit": told}


def _copy_whole(data_dir: Path, part: Path) -> None:
    """Copies store and files so that they agree, whatever the server deletes meanwhile."""
    copies: dict[str, Path] = {}
    for _ in range(ATTEMPTS):
        (part / STORE_FILE).unlink(missing_ok=True)
        live = Store(data_dir / STORE_FILE, read_only=True)
        try:
            live.copy_to(part / STORE_FILE)
        finally:
            live.close()
        copy = Store(part / STORE_FILE, read_only=True)
        try:
            missing = [
                *(
                    f"model '{model.name}@{model.version}'"
                    for model in all_models(copy)
                    if not _copy_model(model, data_dir, part, copies)
                ),
                *(
                    f"data file 'sha256:{dataset.sha256}'"
                    for dataset in all_datasets(copy)
                    if not _copy_data(dataset, data_dir, part)
                ),
            ]
            jobs = list(all_jobs(copy))
            keep = copy.bundles()
        finally:
            copy.close()
        if not missing:
            _copy_jobs(jobs, data_dir, part)
            _copy_work(jobs, data_dir, part)
            for folder in (path for path in models_folder(part).glob("*") if path.name not in keep):
                shutil.rmtree(folder)
            return
    raise CorruptArtifact(f"the files of {missing[0]} are not there; `dlae-server fsck` tells all")


def _copy_model(model: Model, data_dir: Path, part: Path, copies: dict[str, Path]) -> bool:
    """Copies the files of a model that are not copied yet; returns False where they are gone.

    Args:
        model: The model.
        data_dir: The server's folder.
        part: The backup.
        copies: SHA-256 of what has been copied, and where it is; more is added.
    """
    source, target = (models_folder(place) / model.bundle for place in (data_dir, part))
    target.mkdir(parents=True, exist_ok=True)
    for file in model.files:
        if (target / file.name).exists():
            continue
        try:
            digest = _copy_once(source / file.name, target / file.name, copies.get(file.sha256))
        except FileNotFoundError:
            shutil.rmtree(target)
            return False
        if digest != file.sha256:
            raise CorruptArtifact.of_file(source / file.name, "is not what was written")
        copies[digest] = target / file.name
    return True


def _copy_once(source: Path, target: Path, copied: Path | None) -> str:
    """Copies a file, or gives its copy another name; returns the SHA-256 of the file."""
    if copied and copied.exists() and link(copied, target):
        return file_sha256(source)
    return copy(source, target)


def _copy_data(dataset: Dataset, data_dir: Path, part: Path) -> bool:
    """Copies a data file that is not copied yet; returns False where it is gone."""
    source, target = (dataset_file(place, dataset.sha256) for place in (data_dir, part))
    target.parent.mkdir(exist_ok=True)
    try:
        if not target.exists() and copy(source, target) != dataset.sha256:
            raise CorruptArtifact(
                f"the data file sha256:{dataset.sha256} is not what was uploaded; delete it and "
                "upload it again"
            )
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    return True


def _copy_jobs(jobs: list[Job], data_dir: Path, part: Path) -> None:
    for job in jobs:
        source, target = (job_folder(place, job.id) for place in (data_dir, part))
        for name in OF_JOBS:
            with suppress(FileNotFoundError):
                if (source / name).is_file():
                    target.mkdir(parents=True, exist_ok=True)
                    copy(source / name, target / name)
        for file in job.results:
            source, target = (results_folder(place, job.id) for place in (data_dir, part))
            target.mkdir(parents=True, exist_ok=True)
            if copy(source / file.name, target / file.name) != file.sha256:
                raise CorruptArtifact.of_file(source / file.name, "is not what was written")


def _copy_work(jobs: list[Job], data_dir: Path, part: Path) -> None:
    """Copies the work of paused jobs, but for those that went on meanwhile."""
    live = Store(data_dir / STORE_FILE, read_only=True)
    with closing(live):
        for job in (job for job in jobs if job.state == Job.STATE_PAUSED):
            source, target = (job_folder(place, job.id) / "work" for place in (data_dir, part))
            with suppress(FileNotFoundError, JobNotFound):
                Links().copy_tree(source, target, NOT_WORK)
                if live.job(job.id).last_sequence == job.last_sequence:
                    continue
            shutil.rmtree(target, ignore_errors=True)


def _move(store: Path, folder: str, data_dir: Path) -> None:
    """Has jobs that have not ended find in another folder what they found in the one copied."""
    old, new = (json.dumps(f"{place}/", ensure_ascii=False)[:-1] for place in (folder, data_dir))
    if not folder or old == new:
        return
    ended = ", ".join(map(str, sorted(FINISHED)))
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            f"UPDATE jobs SET config = replace(config, ?, ?) WHERE state NOT IN ({ended})",
            (old, new),
        )


def _card(part: Path, data_dir: Path) -> dict[str, Any]:
    store = Store(part / STORE_FILE, read_only=True)
    try:
        models, jobs = (sum(1 for _ in rows) for rows in (all_models(store), all_jobs(store)))
    finally:
        store.close()
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dlae_version": dlae.__version__,
        "store_version": len(MIGRATIONS),
        "folder": str(data_dir.absolute()),
        "models": models,
        "jobs": jobs,
        "store_sha256": file_sha256(part / STORE_FILE),
    }


def _checked(backup: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads((backup / CARD_FILE).read_text(encoding="utf-8"))
        whole = card["store_sha256"] == file_sha256(backup / STORE_FILE)
        known = card["format"] == FORMAT
    except (OSError, ValueError, KeyError) as error:
        raise CannotStart(f"expected a backup of dlae-server, got {backup}") from error
    if not known:
        raise CannotStart(f"expected a backup of format {FORMAT}, got format {card['format']}")
    if not whole:
        raise CorruptArtifact.of_file(backup / STORE_FILE, "is not what was written")
    findings = check(backup)
    if findings:
        raise CorruptArtifact(f"the backup is damaged: {findings[0].place}: {findings[0].problem}")
    return card


@contextmanager
def _storage_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"cannot write {place}: {error.strerror or error}") from error
