"""Models, listed and handed out."""

import hashlib
import json
import signal
from collections import defaultdict
from collections.abc import Callable

import grpc
import numpy as np
import pytest

from dlae.arrays import tensor_from_array
from dlae.v1 import models_pb2 as pb
from dlae.v1.prediction_pb2 import PredictRequest
from dlae.v1.training_pb2 import Job
from tests.dlae_server.processes import ServerProcess, reason_of


@pytest.fixture(scope="module")
def known(server: ServerProcess) -> Job:
    """The job that made the model `known`."""
    return server.trained("known")


def test_a_model_comes_with_its_configuration(server: ServerProcess, known: Job) -> None:
    model = server.models.GetModel(pb.GetModelRequest(model="known@1")).model
    assert (model.name, model.version, model.job_id) == ("known", 1, known.id)
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
    page = server.models.ListModels(pb.ListModelsRequest(name="b"))
    assert [(model.name, model.version) for model in page.models] == [("b", 2), ("b", 1)]


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """Returns code and reason of a call that fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), reason_of(caught.value)


def test_a_file_can_be_fetched_from_any_byte_on(server: ServerProcess, known: Job) -> None:

    def fetched(file: str, offset: int) -> bytes:
        request = pb.FetchModelRequest(model="known", file=file, offset=offset)
        return b"".join(chunk.data for chunk in server.models.FetchModel(request))

    whole = fetched("model.keras", 0)
    for offset in (1, 1 << 20, len(whole) - 1, len(whole)):
        assert fetched("model.keras", offset) == whole[offset:]
    invalid = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    for file, offset in (("model.keras", len(whole) + 1), ("model.keras", -1), ("", 1)):
        assert refused(lambda file=file, offset=offset: fetched(file, offset)) == invalid


def test_a_changed_byte_ends_the_stream_with_data_loss(server: ServerProcess) -> None:
    job = server.trained("bitten")
    path = server.data_dir / "models" / job.id / "model.keras"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    # Of this model alone: others have the same file.
    path.unlink()
    path.write_bytes(content)
    request = pb.FetchModelRequest(model="bitten", file="model.keras")
    found = refused(lambda: list(server.models.FetchModel(request)))
    assert found == (grpc.StatusCode.DATA_LOSS, "CORRUPT_ARTIFACT")


def test_an_alias_is_used_wherever_a_model_is_named(server: ServerProcess) -> None:
    for _ in range(2):
        server.trained("aliased")
    calls, by = server.models, {"who": "ada", "why": "it is better"}
    calls.SetAlias(pb.SetAliasRequest(model="aliased@1", alias="production", **by))
    production = pb.GetModelRequest(model="aliased@production")
    assert calls.GetModel(production).model.version == 1
    moved = calls.SetAlias(pb.SetAliasRequest(model="aliased", alias="production", **by)).model
    assert (moved.version, list(moved.aliases)) == (2, ["production"])
    assert calls.GetModel(production).model.version == 2
    images = np.ones((1, 8, 8, 1), np.float32)
    request = PredictRequest(model="aliased@production", input=tensor_from_array(images))
    assert server.prediction.Predict(request).model == "aliased@2"
    back = pb.RollBackAliasRequest(name="aliased", alias="production", **by)
    assert calls.RollBackAlias(back).model.version == 1
    assert server.prediction.Predict(request).model == "aliased@1"
    assert refused(lambda: calls.RollBackAlias(back)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "NO_EARLIER_VERSION",
    )
    changes = calls.ListModelChanges(pb.ListModelChangesRequest(name="aliased")).changes
    assert [(change.version, change.who) for change in changes] == [
        *((1, "ada"), (2, "ada"), (1, "ada")),
        *((2, ""), (1, "")),
    ]
    removed = pb.RemoveAliasRequest(name="aliased", alias="production")
    assert calls.RemoveAlias(removed).model.version == 1
    not_found = (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")
    assert refused(lambda: calls.GetModel(production)) == not_found


def test_words_that_would_disturb_a_terminal_are_refused(server: ServerProcess, known: Job) -> None:
    for by in ({"who": "a\x1b[2J"}, {"why": "x" * 1001}, {"why": "two\nlines"}):
        request = pb.SetAliasRequest(model="known", alias="a", **by)
        found = refused(lambda request=request: server.models.SetAlias(request))
        assert found == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


def test_a_deleted_model_is_gone_with_its_files(server: ServerProcess) -> None:
    job = server.trained("gone")
    folder = server.data_dir / "models"
    server.models.SetAlias(pb.SetAliasRequest(model="gone", alias="production"))
    request = pb.DeleteModelRequest(model="gone@1")
    in_use = (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_IN_USE")
    assert refused(lambda: server.models.DeleteModel(request)) == in_use
    assert (folder / job.id).is_dir()
    images = tensor_from_array(np.ones((1, 8, 8, 1), np.float32))
    server.prediction.Predict(PredictRequest(model="gone", input=images))
    loaded = 'dlae_model_loaded{model="gone",version="1"}'
    assert server.sample(loaded) == 1
    request.force = True
    assert server.models.DeleteModel(request).model.job_id == job.id
    assert server.sample(loaded) == 0
    assert not [path for path in folder.iterdir() if job.id in path.name]
    assert refused(lambda: server.models.DeleteModel(request))[1] == "MODEL_NOT_FOUND"
    assert server.job(job.id).model == "gone@1"
    server.trained("gone")
    assert server.models.GetModel(pb.GetModelRequest(model="gone")).model.version == 2


def test_a_card_comes_in_three_forms(server: ServerProcess, known: Job) -> None:
    answer = server.models.GetModelCard(pb.GetModelCardRequest(model="known"))
    assert answer.markdown.startswith("# known@1\n")
    assert json.loads(answer.json)["metrics"] == {"loss": 0.5, "val_loss": 1.0}
    assert json.loads(answer.monai_metadata)["name"] == "known"
    assert str(server.data) not in answer.markdown + answer.json + answer.monai_metadata


def test_what_a_crash_left_among_the_models_is_removed_at_the_next_start(
    own_server: ServerProcess,
) -> None:
    kept, deleted = own_server.trained("kept"), own_server.trained("deleted")
    own_server.behave("fail")
    failed = own_server.train("failed")
    own_server.events(failed.id)
    folder = own_server.data_dir / "models"
    saved = (folder / deleted.id / "config.json").read_bytes()
    own_server.models.DeleteModel(pb.DeleteModelRequest(model="deleted"))
    own_server.stop(signal.SIGKILL)
    # Killed after a commit and before the files went; on the way out; before a commit.
    for name in (deleted.id, ".leaving-x", ".coming-y", failed.id, "unknown-abcd"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_bytes(saved)
    own_server.start()
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {kept.id, "unknown-abcd"}
