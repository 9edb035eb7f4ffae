"""References to what jobs have left to go on from."""

import asyncio
from pathlib import Path

import pytest

from dlae.v1 import models_pb2
from dlae.v1.config_pb2 import Config
from dlae_core.errors import InvalidConfig
from dlae_server.datasets.roots import path_violations
from dlae_server.jobs.checkpoints import put_in_place
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import Job, enter
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings
from dlae_server.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns the folder of a server: a failed job, an older and a newer model, a waiting job."""
    store = Store(tmp_path / "dlae.sqlite3")
    for job_id in ("failed", "old", "new", "waiting"):
        job = Job(id=job_id, name="m")
        store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    for job_id in ("old", "new"):
        store.record_model(models_pb2.Model(name="m", job_id=job_id))
    store.close()
    for name in (
        "jobs/failed/checkpoint.dlae",
        "jobs/new/checkpoint.dlae",
        "models/old/model.keras",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    return tmp_path


def _found(folder: Path, reference: str) -> str:
    """Returns the file that takes the place of a reference, from the server's folder on."""

    async def found() -> str:
        journal = Journal(Settings("127.0.0.1:0", folder, (folder,), None), Metrics())
        config = Config()
        config.paths.load_checkpoint = reference
        try:
            await put_in_place(config, journal, folder)
        finally:
            await journal.close()
        return config.paths.load_checkpoint.removeprefix(f"{folder}/")

    return asyncio.run(found())


@pytest.mark.parametrize(
    ("reference", "file"),
    [
        ("job:failed", "jobs/failed/checkpoint.dlae"),
        ("model:m", "jobs/new/checkpoint.dlae"),
        ("model:m@2", "jobs/new/checkpoint.dlae"),
        ("model:m@1", "models/old/model.keras"),
        ("/data/c.keras", "/data/c.keras"),
        ("", ""),
    ],
)
def test_a_reference_becomes_the_file(folder: Path, reference: str, file: str) -> None:
    assert _found(folder, reference) == file


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("job:nobody", "there is no job 'nobody'"),
        ("job:../../etc", "there is no job"),
        ("job:waiting", "left a checkpoint, got 'job:waiting'"),
        ("model:m@9", "there is no model 'm@9'"),
        ("model:../m", "expected a model as"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, reference: str, sentence: str) -> None:
    with pytest.raises(InvalidConfig, match=r"paths\.load_checkpoint") as caught:
        _found(folder, reference)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("session", "checkpoint", "reasons"),
    [
        ("Train from Checkpoint", "/etc/passwd", ["OUTSIDE_DATA_ROOTS"]),
        ("Train from Checkpoint", "c.keras", ["NOT_ABSOLUTE"]),
        ("Train from Checkpoint", "{root}/missing.keras", ["DATASET_NOT_FOUND"]),
        ("Train from Checkpoint", "job:a", []),
        ("Train", "/etc/passwd", []),
    ],
)
def test_files_to_go_on_from_lie_in_the_data_roots(
    tmp_path: Path, session: str, checkpoint: str, reasons: list[str]
) -> None:
    config = Config()
    config.config_file.type_signal = session
    config.paths.load_checkpoint = checkpoint.format(root=tmp_path)
    found = list(path_violations(config, [tmp_path]))
    assert [(row.path, row.reason) for row in found] == [
        ("paths.load_checkpoint", reason) for reason in reasons
    ]
