"""Every method of the services is reached by a public method of the client."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlae.v1
from dlae.v1 import datasets_pb2, models_pb2, prediction_pb2, training_pb2
from dlae_client import Client

FILE = Path(__file__)
IMAGES = np.zeros((1, 8, 8, 1), np.float32)
LARGE = np.zeros((1, 1024, 1024, 1), np.float32)
# RPC -> a call of the client that makes it, with a file to send.
CALLS: dict[str, Callable[[Client, Path], Any]] = {
    "TrainingService.Validate": lambda client, file: client.validate({}),
    "TrainingService.Train": lambda client, file: client.train({}),
    "TrainingService.Run": lambda client, file: client.run({}),
    "TrainingService.Status": lambda client, file: client.status("job"),
    "TrainingService.ListJobs": lambda client, file: list(client.jobs()),
    "TrainingService.Watch": lambda client, file: list(client.watch("job")),
    "TrainingService.Cancel": lambda client, file: client.cancel("job"),
    "TrainingService.Pause": lambda client, file: client.pause("job"),
    "TrainingService.Resume": lambda client, file: client.resume("job"),
    "TrainingService.Logs": lambda client, file: list(client.logs("job")),
    "TrainingService.DeleteJob": lambda client, file: client.delete_job("job"),
    "TrainingService.FetchResult": lambda client, file: client.fetch_result("job", file.parent),
    "PredictionService.Predict": lambda client, file: client.predict("model", IMAGES),
    "PredictionService.PredictStream": lambda client, file: client.predict("model", LARGE),
    "ModelService.ListModels": lambda client, file: list(client.models()),
    "ModelService.GetModel": lambda client, file: client.model("model"),
    "ModelService.FetchModel": lambda client, file: client.fetch("m", file.with_name("fetched")),
    "ModelService.SetAlias": lambda client, file: client.set_alias("model", "alias"),
    "ModelService.RollBackAlias": lambda client, file: client.roll_back_alias("model@alias"),
    "ModelService.RemoveAlias": lambda client, file: client.remove_alias("model@alias"),
    "ModelService.ListModelChanges": lambda client, file: list(client.model_changes("model")),
    "ModelService.DeleteModel": lambda client, file: client.delete_model("model"),
    "ModelService.GetModelCard": lambda client, file: client.model_card("model"),
    "ModelService.StartImport": lambda client, file: client.import_model(file, {}, "model"),
    "ModelService.ImportModel": lambda client, file: client.import_model(file, {}, "model"),
    "DatasetService.FindFiles": lambda client, file: client.with_data(
        {"config_file": {"type_signal": "Training"}, "paths": {"train_X": str(file)}}
    ),
    "DatasetService.StartUpload": lambda client, file: client.upload(file),
    "DatasetService.UploadDataset": lambda client, file: client.upload(file),
    "DatasetService.GetDataset": lambda client, file: client.dataset("dataset:ct"),
    "DatasetService.ListDatasets": lambda client, file: list(client.datasets()),
    "DatasetService.DeleteDataset": lambda client, file: client.delete_dataset("dataset:ct"),
}
# What some of them ask first.
ANSWERS = {
    "TrainingService.Status": training_pb2.StatusResponse(
        job=training_pb2.Job(results=[training_pb2.ResultFile(name="predictions.h5", size_bytes=1)])
    ),
    "ModelService.GetModel": models_pb2.GetModelResponse(
        model=models_pb2.Model(
            name="m", version=1, files=[models_pb2.ModelFile(name="model.keras", size_bytes=1)]
        )
    ),
    "ModelService.StartImport": models_pb2.StartImportResponse(),
    "DatasetService.StartUpload": datasets_pb2.StartUploadResponse(),
}
MODULES = (training_pb2, prediction_pb2, models_pb2, datasets_pb2)
RPCS = sorted(
    f"{service.name}.{method.name}"
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
)


class Reached(Exception):
    """A method was called."""


class Recorder:
    """A channel that says which method is called, or answers what is asked before it."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def _make(self, path: str, *rest: Any, **facts: Any) -> Callable[..., Any]:
        name = path.removeprefix("/dlae.v1.").replace("/", ".")

        def call(request: Any, timeout: float | None = None) -> Any:
            if name == self._wanted or name not in ANSWERS:
                raise Reached(name)
            return ANSWERS[name]

        return call

    unary_unary = unary_stream = stream_unary = stream_stream = _make


def test_all_services_are_looked_at() -> None:
    protos = {path.name for path in Path(dlae.v1.__path__[0]).glob("*.proto")}
    files = {module.DESCRIPTOR.name.rpartition("/")[2] for module in MODULES}
    folder = Path(dlae.v1.__path__[0])
    assert {name for name in protos if "\nservice " in (folder / name).read_text()} == files


@pytest.mark.parametrize("rpc", RPCS)
def test_every_method_of_the_services_is_reached_by_the_client(
    rpc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "file.h5"
    file.write_text(json.dumps({}))
    with Client("127.0.0.1:1") as client:
        monkeypatch.setattr(client._connection, "channel", Recorder(rpc))
        assert rpc in CALLS, f"{rpc} is reached by no method of Client that this table names"
        with pytest.raises(Reached) as reached:
            CALLS[rpc](client, file)
    assert str(reached.value) == rpc
