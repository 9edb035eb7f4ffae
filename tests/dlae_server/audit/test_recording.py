"""What a server records of calls: who, what, with which outcome, and no name of a patient."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from dlae.arrays import tensor_from_array
from dlae.v1 import datasets_pb2, models_pb2, prediction_pb2, training_pb2
from dlae.v1.datasets_pb2_grpc import DatasetServiceStub
from dlae.v1.models_pb2_grpc import ModelServiceStub
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from dlae_core.bundle import file_sha256
from dlae_server.access.tokens import create
from dlae_server.audit.reading import records
from dlae_server.audit.recording import address_of
from dlae_server.audit.verifying import verify
from tests.dlae_server.folders import server_folder
from tests.dlae_server.inside import serving
from tests.sessions import config_text

PATIENT = "Doe^John"
IMAGE = np.ones((1, 8, 8, 1), np.float32)


class Asking:
    """Somebody who asks a server."""

    def __init__(self, channel: grpc.Channel, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._stubs: tuple[Any, ...] = (
            *(TrainingServiceStub(channel), ModelServiceStub(channel)),
            *(PredictionServiceStub(channel), DatasetServiceStub(channel)),
        )

    def asks(self, method: str, request: Any) -> str:
        """Returns the code of a call."""
        (stub,) = (one for one in self._stubs if hasattr(one, method))
        try:
            answer = getattr(stub, method)(request, metadata=self._metadata)
            if isinstance(answer, Iterator):
                list(answer)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"


def ask_all(channel: grpc.Channel, tokens: dict[str, str], folder: Path) -> None:
    """Asks for what is to be recorded, and for what is not."""
    nobody, vera, anna, root = (
        Asking(channel, tokens.get(name, "")) for name in ("", "vera", "anna", "root")
    )
    image = prediction_pb2.PredictRequest(model="m@1", input=tensor_from_array(IMAGE))
    assert nobody.asks("ListModels", models_pb2.ListModelsRequest()) == "UNAUTHENTICATED"
    assert vera.asks("Predict", image) == "PERMISSION_DENIED"
    assert vera.asks("ListModels", models_pb2.ListModelsRequest()) == "OK"
    assert vera.asks("Status", training_pb2.StatusRequest(job_id=PATIENT)) == "NOT_FOUND"
    assert vera.asks("Logs", training_pb2.LogsRequest(job_id=PATIENT)) == "NOT_FOUND"
    assert anna.asks("Predict", image) == "OK"
    alias = models_pb2.SetAliasRequest(model="m@1", alias="production", who=PATIENT, why=PATIENT)
    assert anna.asks("SetAlias", alias) == "OK"
    options = training_pb2.JobOptions(labels={"patient": PATIENT}, user=PATIENT)
    (folder / f"{PATIENT}.h5").touch()
    source = training_pb2.ConfigSource(
        json=config_text(folder, paths__train_X=str(folder / f"{PATIENT}.h5"))
    )
    train = training_pb2.TrainRequest(config=source, name="tissue", options=options)
    assert anna.asks("Train", train) == "OK"
    bad = models_pb2.SetAliasRequest(model=PATIENT, alias=PATIENT)
    assert anna.asks("SetAlias", bad) == "INVALID_ARGUMENT"
    upload = datasets_pb2.StartUploadRequest(sha256="a" * 64, size_bytes=9, name=PATIENT)
    assert anna.asks("StartUpload", upload) == "INVALID_ARGUMENT"
    fetch = models_pb2.FetchModelRequest(model="m@production", file="config.json")
    assert anna.asks("FetchModel", fetch) == "OK"
    gone = datasets_pb2.DeleteDatasetRequest(dataset=PATIENT)
    assert root.asks("DeleteDataset", gone) == "INVALID_ARGUMENT"
    assert root.asks("DeleteModel", models_pb2.DeleteModelRequest(model="m@2")) == "OK"


def status_of(request: urllib.request.Request) -> int:
    """Returns the status of an answer."""
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def ask_over_http(address: str, token: str) -> None:
    """Asks for a prediction, refused and answered, and for health."""
    inputs = [{"name": "input", "shape": [1, 8, 8, 1], "datatype": "FP32", "data": [1.0] * 64}]
    body = json.dumps({"inputs": inputs}).encode()
    for path, data, given, expected in (
        ("health/live", None, "", 200),
        ("models/m/versions/1/infer", body, "", 401),
        ("models/m/versions/1/infer", body, token, 200),
    ):
        headers = {"authorization": f"Bearer {given}"} if given else {}
        request = urllib.request.Request(f"http://{address}/v2/{path}", data, headers)
        assert status_of(request) == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that was asked, and has ended."""
    made = server_folder(tmp_path_factory.mktemp("recorded") / "server")
    (made / "masks.h5").touch()
    (made / "behaviour").write_text("wait")
    scopes = {"vera": "viewer", "anna": "trainer", "root": "admin"}
    tokens = {name: create(made, name, scope)[1] for name, scope in scopes.items()}
    with (
        serving(made, rest_address="127.0.0.1:0") as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        ask_all(channel, tokens, made)
        ask_over_http(facts["rest"], tokens["anna"])
    return made


def test_every_call_that_changes_or_reveals_is_recorded_and_refused_ones(folder: Path) -> None:
    told = [one.facts for one in records(folder)]
    assert [(one["what"], one.get("call"), one.get("status"), one.get("who")) for one in told] == [
        ("start", None, None, None),
        ("call", "ModelService/ListModels", "UNAUTHENTICATED", None),
        ("call", "PredictionService/Predict", "PERMISSION_DENIED", "vera"),
        ("call", "TrainingService/Logs", "NOT_FOUND", "vera"),
        ("call", "PredictionService/Predict", "OK", "anna"),
        ("call", "ModelService/SetAlias", "OK", "anna"),
        ("call", "TrainingService/Train", "OK", "anna"),
        ("call", "ModelService/SetAlias", "INVALID_ARGUMENT", "anna"),
        ("call", "DatasetService/StartUpload", "INVALID_ARGUMENT", "anna"),
        ("call", "ModelService/FetchModel", "OK", "anna"),
        ("call", "DatasetService/DeleteDataset", "INVALID_ARGUMENT", "root"),
        ("call", "ModelService/DeleteModel", "OK", "root"),
        ("call", "GRPCInferenceService/ModelInfer", "UNAUTHENTICATED", None),
        ("call", "GRPCInferenceService/ModelInfer", "OK", "anna"),
        ("stop", None, None, None),
    ]
    assert verify(folder).findings == []


def test_a_record_says_which_model_which_input_and_from_where(folder: Path) -> None:
    told = {(one.facts.get("call"), one.facts.get("status")): one.facts for one in records(folder)}
    predicted = told["PredictionService/Predict", "OK"]
    assert predicted["input_sha256"] == hashlib.sha256(IMAGE.tobytes()).hexdigest()
    assert predicted["input"] == "<f4 [1, 8, 8, 1]"
    inferred = told["GRPCInferenceService/ModelInfer", "OK"]
    assert inferred["input_sha256"] == predicted["input_sha256"]
    for call in (
        "PredictionService/Predict",
        "ModelService/SetAlias",
        "GRPCInferenceService/ModelInfer",
    ):
        facts = told[call, "OK"]
        assert facts["model"] == "m@1"
        assert facts["model_sha256"] == file_sha256(folder / "models" / "a" / "manifest.json")
        assert (facts["peer"], facts["scope"]) == ("127.0.0.1", "trainer")
    assert told["ModelService/SetAlias", "OK"]["alias"] == "production"
    assert told["TrainingService/Train", "OK"]["job"].startswith("tissue-")
    assert len(told["TrainingService/Train", "OK"]["config_sha256"]) == 64
    refused = told["PredictionService/Predict", "PERMISSION_DENIED"]
    assert refused["reason"] == "PERMISSION_DENIED"
    assert "model" not in refused


def test_names_that_users_give_are_in_no_record(folder: Path) -> None:
    text = b"".join(path.read_bytes() for path in (folder / "audit").iterdir()).lower()
    for name in (PATIENT, "doe", "john"):
        assert name.lower().encode() not in text


def test_addresses_are_recorded_without_ports() -> None:
    assert address_of("ipv4:10.0.0.7:4711") == "10.0.0.7"
    assert address_of("ipv6:%5B::1%5D:4711") == "::1"
    assert address_of("unix:") == "unix"
