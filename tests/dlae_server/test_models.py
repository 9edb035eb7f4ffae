"""Models, listed and handed out."""

import hashlib
from collections import defaultdict

import grpc
import pytest

from dlae.v1 import models_pb2 as pb
from tests.dlae_server.processes import ServerProcess, reason_of


def test_a_model_comes_with_its_configuration(server: ServerProcess) -> None:
    job = server.trained("known")
    model = server.models.GetModel(pb.GetModelRequest(model="known@1")).model
    assert (model.name, model.version, model.job_id) == ("known", 1, job.id)
    assert (model.family, model.classes, list(model.input_shape)) == ("FCN", 2, [8, 8, 1])
    assert model.config.training_configurations.epochs == 2
    assert [file.name for file in model.files] == [
        "config.json",
        "history.csv",
        "manifest.json",
        "model.keras",
    ]


def test_fetched_files_are_what_the_checksums_say(server: ServerProcess) -> None:
    server.trained("fetched")
    model = server.models.GetModel(pb.GetModelRequest(model="fetched")).model
    content: dict[str, bytes] = defaultdict(bytes)
    for chunk in server.models.FetchModel(pb.FetchModelRequest(model="fetched")):
        assert chunk.offset == len(content[chunk.file])
        assert len(chunk.data) <= 1 << 20
        content[chunk.file] += chunk.data
    found = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items()}
    assert found == {file.name: (file.size_bytes, file.sha256) for file in model.files}


def test_one_file_can_be_fetched(server: ServerProcess) -> None:
    server.trained("one")
    request = pb.FetchModelRequest(model="one", file="config.json")
    assert {chunk.file for chunk in server.models.FetchModel(request)} == {"config.json"}


@pytest.mark.parametrize("file", ["none.txt", "../../dlae.sqlite3"])
def test_a_file_that_a_model_has_not_is_not_found(server: ServerProcess, file: str) -> None:
    server.trained("has")
    with pytest.raises(grpc.RpcError) as caught:
        list(server.models.FetchModel(pb.FetchModelRequest(model="has", file=file)))
    assert reason_of(caught.value) == "MODEL_NOT_FOUND"


def test_a_damaged_model_is_not_handed_out(server: ServerProcess) -> None:
    job = server.trained("broken")
    (server.data_dir / "models" / job.id / "model.keras").unlink()
    calls = (
        lambda: server.models.GetModel(pb.GetModelRequest(model="broken")),
        lambda: list(server.models.FetchModel(pb.FetchModelRequest(model="broken"))),
    )
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code() == grpc.StatusCode.DATA_LOSS
        assert reason_of(caught.value) == "CORRUPT_ARTIFACT"


def test_models_come_by_name_the_newest_version_first(server: ServerProcess) -> None:
    for name in ("b", "a", "b"):
        server.trained(name)
    listed, token = [], ""
    while True:
        request = pb.ListModelsRequest(page_size=2, page_token=token)
        page = server.models.ListModels(request)
        listed += [(model.name, model.version) for model in page.models]
        if not (token := page.next_page_token):
            break
    assert listed == sorted(listed, key=lambda row: (row[0], -row[1]))
    assert [row for row in listed if row[0] in "ab"] == [("a", 1), ("b", 2), ("b", 1)]
