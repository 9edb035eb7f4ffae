"""Models and predictions that prove where they come from, without the server."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf.json_format import MessageToJson

from dlae.arrays import tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1 import training_pb2
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from dlae_core.bundle import file_sha256
from dlae_server.audit.reading import records
from tests.dlae_server.audit.test_commands import run
from tests.dlae_server.folders import server_folder
from tests.dlae_server.inside import serving
from tests.sessions import config_text

IMAGE = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
LARGE = np.ones((1, 2100, 2100, 1), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that has trained `tissue`."""
    made = server_folder(tmp_path_factory.mktemp("proved") / "server")
    for name in ("X.h5", "masks.h5"):
        (made / name).touch()
    (made / "behaviour").write_text("succeed")
    with (
        serving(made, audit_predictions=True) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        training = TrainingServiceStub(channel)
        source = training_pb2.ConfigSource(json=config_text(made))
        request = training_pb2.TrainRequest(config=source, name="tissue")
        job = training.Train(request).job
        for _ in training.Watch(training_pb2.WatchRequest(job_id=job.id)):
            pass
        answers = list(answered(PredictionServiceStub(channel)))
    for number, answer in enumerate(answers):
        (made.parent / f"answer-{number}.json").write_text(MessageToJson(answer))
    return made


def answered(stub: PredictionServiceStub) -> Iterator[pb.PredictResponse]:
    """Yields an answer, and one to a large image in chunks."""
    options = pb.PredictOptions(threshold=0.5)
    tensor = tensor_from_array(IMAGE)
    yield stub.Predict(
        pb.PredictRequest(
            model="tissue", input=tensor, output_kind=pb.OUTPUT_KIND_LABELS, options=options
        )
    )
    yield stub.Predict(pb.PredictRequest(model="tissue@1", input=tensor, describe=True))
    whole = tensor_from_array(LARGE)
    header = pb.PredictStreamHeader(model="tissue")
    header.input.data_type = whole.data_type
    header.input.shape.extend(whole.shape)
    parts = (whole.data[at : at + (1 << 20)] for at in range(0, len(whole.data), 1 << 20))
    asked = (
        pb.PredictStreamRequest(header=header),
        *(pb.PredictStreamRequest(data=part) for part in parts),
    )
    first, *others = stub.PredictStream(iter(asked))
    answer = pb.PredictResponse(model=first.header.model, description=first.header.description)
    answer.output.data = b"".join(one.data for one in others)
    yield answer


def test_a_prediction_is_recorded_with_input_output_and_how_it_was_made(folder: Path) -> None:
    made = [one.facts for one in records(folder) if one.facts.get("output_sha256")]
    assert [one["call"].partition("/")[2] for one in made] == [
        "Predict",
        "Predict",
        "PredictStream",
    ]
    sha256 = hashlib.sha256(IMAGE.tobytes()).hexdigest()
    assert [one["input_sha256"] for one in made[:2]] == [sha256, sha256]
    assert made[0]["output_sha256"] == hashlib.sha256(bytes([1] * 64)).hexdigest()
    assert made[0]["options"] == {"threshold": 0.5}
    assert (made[0]["output_kind"], made[0]["output"]) == ("OUTPUT_KIND_LABELS", "|u1 [1, 8, 8]")
    assert made[1]["output_sha256"] == hashlib.sha256((IMAGE * 2).tobytes()).hexdigest()
    assert made[1]["model"] == "tissue@1"
    assert made[2]["input_sha256"] == hashlib.sha256(LARGE.tobytes()).hexdigest()
    assert made[2]["output_sha256"] == hashlib.sha256((LARGE * 2).tobytes()).hexdigest()
    assert {one["engine"] for one in made} == {"fake"}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stored_answer_is_proved_by_an_exported_log_and_changes_are_found(
    folder: Path, tmp_path: Path, number: int
) -> None:
    chain, answer = tmp_path / "log.jsonl", folder.parent / f"answer-{number}.json"
    assert run(folder, "audit", "export", "-o", chain).exit_code == 0

    def verified(path: Path) -> str:
        done = run(tmp_path, "audit", "verify", "--chain", chain, "--record", path)
        assert done.exit_code == (0 if done.output.startswith("sound\n") else 1)
        return done.output

    assert verified(answer).startswith("sound\n")
    told = json.loads(answer.read_text())
    for place, key, value in (
        (told, "model", "tissue@2"),
        (told["description"]["provenance"], "inputSha256", "0" * 64),
        (told["description"], "engine", "another"),
        (told["output"], "data", "AAAA"),
        (told["description"]["provenance"], "record", f"2:{'0' * 64}"),
    ):
        true, place[key] = place[key], value
        (tmp_path / "changed.json").write_text(json.dumps(told))
        assert not verified(tmp_path / "changed.json").startswith("sound\n"), key
        place[key] = true


def test_a_model_proves_what_it_was_made_of(folder: Path, tmp_path: Path) -> None:
    done = run(folder, "audit", "provenance", "tissue@1")
    document = json.loads(done.output)
    bundle = folder / "models" / document["job"]
    assert document["model_sha256"] == file_sha256(bundle / "manifest.json")
    assert document["config_sha256"] == file_sha256(bundle / "config.json")
    assert (document["seed"], document["dlae_version"]) == (1, "2")
    (tmp_path / "model.json").write_text(done.output)
    run(folder, "audit", "export", "-o", tmp_path / "log.jsonl")
    verify = ("audit", "verify", "--chain", tmp_path / "log.jsonl", "--record")
    done = run(tmp_path, *verify, tmp_path / "model.json")
    assert (done.exit_code, done.output.startswith("sound\n")) == (0, True)
    for name, value in (("config_sha256", "0" * 64), ("seed", 2), ("records", ["{}"])):
        (tmp_path / "changed.json").write_text(json.dumps({**document, name: value}))
        assert run(tmp_path, *verify, tmp_path / "changed.json").exit_code == 1, name


def test_a_model_of_before_there_was_a_log_says_that_it_has_no_record(folder: Path) -> None:
    document = run(folder, "audit", "provenance", "m@1").output
    assert json.loads(document)["record"] is None
    (folder.parent / "old.json").write_text(document)
    done = run(folder, "audit", "verify", "--record", folder.parent / "old.json")
    assert (done.exit_code, "was not recorded" in done.output) == (1, True)


@pytest.mark.parametrize("audit", [True, False])
def test_a_request_may_ask_for_a_record_of_its_own(tmp_path: Path, audit: bool) -> None:
    folder = server_folder(tmp_path / "server")
    request = pb.PredictRequest(model="m@1", input=tensor_from_array(IMAGE))
    with (
        serving(folder, audit=audit) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        stub = PredictionServiceStub(channel)
        assert not stub.Predict(request).HasField("description")
        request.provenance = True
        if audit:
            found = stub.Predict(request).description.provenance
            (record,) = (one for one in records(folder) if one.facts.get("output_sha256"))
            assert found.record == str(record.position)
            assert found.output_sha256 == record.facts["output_sha256"]
            return
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert not (folder / "audit").exists()
