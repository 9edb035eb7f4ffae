"""A folder of a server with things of the project `liver`, and what can be asked about them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlae.v1 import datasets_pb2, models_pb2, prediction_pb2, tensor_pb2, training_pb2
from dlae.v1.datasets_pb2 import Dataset
from dlae_server import oip
from dlae_server.access.scopes import SCOPES
from dlae_server.datasets.files import dataset_file
from dlae_server.jobs.results import stored
from dlae_server.jobs.states import Job, enter
from dlae_server.models.arriving import part_file
from dlae_server.models.registry import model_from_bundle
from dlae_server.models.signature import Signature
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE
from tests.dlae_server.fakes import write_bundle
from tests.sessions import config_text

PROJECT = "liver"
DATA = b"samples of a liver"


@dataclass(frozen=True)
class Names:
    """How things are called.

    Attributes:
        job: One that has ended.
        paused: One that waits to be resumed.
        model: Of a model.
        data: Of a data file.
        sha256: Of its content.
        folder: Whose files one project may name.
    """

    job: str = "liver-job"
    paused: str = "liver-lie"
    model: str = "tissue"
    data: str = "ctscan"
    sha256: str = hashlib.sha256(DATA).hexdigest()
    folder: str = "own"


# As long as the others.
ABSENT = Names("never-job", "never-lie", "nobody", "no-one", "0" * 64, "off")


def project_folder(data_dir: Path) -> Path:
    """Writes a folder in which all that `Names` names belongs to one project; returns it."""
    data_dir.mkdir(parents=True)
    store, names = Store(data_dir / STORE_FILE), Names()
    _add_session(store, data_dir, names)
    job = Job(id=names.paused, name="m", project=PROJECT)
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    store.record(job.id, lambda job: enter(job, Job.STATE_PAUSED))
    bundle = data_dir / "models" / "bundle"
    bundle.mkdir(parents=True)
    write_bundle(bundle, "{}")
    model = model_from_bundle(bundle, Job(name=names.model, project=PROJECT))
    model.bundle = "bundle"
    model.data["train_X"].sha256 = names.sha256
    store.record_import(model, Signature())
    for alias in ("production", *SCOPES):
        store.set_alias(f"{PROJECT}/{names.model}", 1, alias, Signature())
    path = dataset_file(data_dir, names.sha256)
    path.parent.mkdir()
    path.write_bytes(DATA)
    dataset = Dataset(sha256=names.sha256, size_bytes=len(DATA), kind=Dataset.KIND_SAMPLES)
    store.add_dataset(dataset, names.data, PROJECT)
    store.close()
    part = part_file(data_dir, names.sha256, PROJECT)
    part.parent.mkdir()
    part.write_bytes(DATA[:4])
    for folder in (names.folder, "off"):
        (data_dir / folder).mkdir()
        (data_dir / folder / "x.h5").write_bytes(b"x")
    return data_dir


def _add_session(store: Store, data_dir: Path, names: Names) -> None:
    job = Job(id=names.job, name="m", project=PROJECT)
    store.add_job(job, "{}", enter(job, Job.STATE_QUEUED))
    file = data_dir / "predictions.h5"
    file.write_bytes(b"predictions")
    result = stored(file, data_dir, job.id)

    def end(job: Job) -> training_pb2.JobEvent:
        job.results.append(result)
        return enter(job, Job.STATE_SUCCEEDED)

    store.record(job.id, end)
    (data_dir / "jobs" / job.id / "checkpoint.dlae").write_bytes(b"weights")


# Names, the server's folder and a scope -> what is asked.
Asking = Callable[[Names, Path, str], list[Any]]


def _config(names: Names, folder: Path) -> training_pb2.ConfigSource:
    """Returns a configuration that goes on from a job and has one mistake besides."""
    paths = {
        "config_file__type_signal": "Train from Checkpoint",
        "paths__load_checkpoint": f"job:{names.job}",
    }
    return training_pb2.ConfigSource(json=config_text(folder / "off", **paths))


def _find(names: Names, folder: Path, scope: str) -> list[Any]:
    path = folder / names.folder / "x.h5"
    facts = path.stat()
    file = datasets_pb2.LocalFile(
        path=str(path), size_bytes=facts.st_size, change_time_ns=facts.st_mtime_ns
    )
    return [datasets_pb2.FindFilesRequest(files=[file])]


def _upload(names: Names, folder: Path, scope: str) -> list[Any]:
    header = datasets_pb2.StartUploadRequest(sha256=names.sha256, size_bytes=len(DATA))
    return [datasets_pb2.UploadDatasetRequest(header=header)]


def _predict_stream(names: Names, folder: Path, scope: str) -> list[Any]:
    header = tensor_pb2.TensorHeader(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=(1, 2, 2, 1))
    first = prediction_pb2.PredictStreamHeader(model=names.model, input=header)
    request = prediction_pb2.PredictStreamRequest
    return [request(header=first), request(data=bytes(4))]


def _predict(names: Names, folder: Path, scope: str) -> list[Any]:
    tensor = tensor_pb2.Tensor(
        data_type=tensor_pb2.DATA_TYPE_UINT8, shape=(1, 2, 2, 1), data=bytes(4)
    )
    return [prediction_pb2.PredictRequest(model=names.model, input=tensor)]


def _one(make: Callable[..., Any], **fields: str) -> Asking:
    """Returns what asks one message, its fields as names say."""

    def ask(names: Names, folder: Path, scope: str) -> list[Any]:
        said = {key: value.format(n=names, scope=scope) for key, value in fields.items()}
        return [make(**said)]

    return ask


def _open(method: str, **fields: str) -> Asking:
    return _one(oip.methods()[method][0], **fields)


_T, _M, _D = training_pb2, models_pb2, datasets_pb2
_MODEL = "{n.model}"
# Method of a service -> what is asked; those that name nothing a project has ask nothing.
ASKED: dict[str, dict[str, Asking | None]] = {
    "grpc.health.v1.Health": dict.fromkeys(("Check", "List", "Watch")),
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo": None},
    "dlae.v1.TrainingService": {
        "Validate": lambda n, f, s: [_T.ValidateRequest(config=_config(n, f))],
        "Train": lambda n, f, s: [_T.TrainRequest(config=_config(n, f), name="m")],
        "Run": lambda n, f, s: [_T.RunRequest(config=_config(n, f), name="m")],
        "Status": _one(_T.StatusRequest, job_id="{n.job}"),
        "ListJobs": _one(_T.ListJobsRequest, name="m"),
        "Watch": _one(_T.WatchRequest, job_id="{n.job}"),
        "Cancel": _one(_T.CancelRequest, job_id="{n.job}"),
        "Pause": _one(_T.PauseRequest, job_id="{n.job}"),
        "Resume": _one(_T.ResumeRequest, job_id="{n.job}"),
        "Logs": _one(_T.LogsRequest, job_id="{n.job}"),
        "DeleteJob": _one(_T.DeleteJobRequest, job_id="{n.paused}"),
        "FetchResult": _one(_T.FetchResultRequest, job_id="{n.job}"),
    },
    "dlae.v1.PredictionService": {"Predict": _predict, "PredictStream": _predict_stream},
    "dlae.v1.ModelService": {
        "ListModels": _one(_M.ListModelsRequest, name=_MODEL),
        "GetModel": _one(_M.GetModelRequest, model="{n.model}@1"),
        "FetchModel": _one(_M.FetchModelRequest, model=_MODEL),
        "SetAlias": _one(_M.SetAliasRequest, model=_MODEL, alias="production"),
        "RollBackAlias": _one(_M.RollBackAliasRequest, name=_MODEL, alias="production"),
        "RemoveAlias": _one(_M.RemoveAliasRequest, name=_MODEL, alias="{scope}"),
        "ListModelChanges": _one(_M.ListModelChangesRequest, name=_MODEL),
        "DeleteModel": _one(_M.DeleteModelRequest, model=_MODEL),
        "GetModelCard": _one(_M.GetModelCardRequest, model="{n.model}@production"),
        # It makes a model of a name, whoever else has one of it.
        "ImportModel": None,
        "StartImport": lambda n, f, s: [
            _M.StartImportRequest(sha256=n.sha256, size_bytes=len(DATA))
        ],
    },
    "dlae.v1.DatasetService": {
        "FindFiles": _find,
        "StartUpload": lambda n, f, s: [
            _D.StartUploadRequest(sha256=n.sha256, size_bytes=len(DATA))
        ],
        "UploadDataset": _upload,
        "GetDataset": _one(_D.GetDatasetRequest, dataset="sha256:{n.sha256}"),
        "ListDatasets": _one(_D.ListDatasetsRequest, name="{n.data}"),
        "DeleteDataset": _one(_D.DeleteDatasetRequest, dataset="dataset:{n.data}"),
    },
    "inference.GRPCInferenceService": {
        **dict.fromkeys(("ServerLive", "ServerReady", "ServerMetadata")),
        "ModelReady": _open("ModelReady", name=_MODEL),
        "ModelMetadata": _open("ModelMetadata", name=_MODEL, version="1"),
        "ModelInfer": _open("ModelInfer", model_name=_MODEL),
        "ModelConfig": _open("ModelConfig", name=_MODEL),
        "ModelStatistics": _open("ModelStatistics", name=_MODEL),
        "RepositoryIndex": _open("RepositoryIndex"),
        "RepositoryModelLoad": _open("RepositoryModelLoad", model_name=_MODEL),
        "RepositoryModelUnload": _open("RepositoryModelUnload", model_name=_MODEL),
    },
}


def as_absent(text: str, names: Names) -> str:
    """Returns a text as it would be of things that there are not."""
    for field in ("job", "paused", "model", "data", "sha256"):
        text = text.replace(getattr(names, field), getattr(ABSENT, field))
    return text
