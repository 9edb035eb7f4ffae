"""Inference sessions as jobs, from submission to the file that they wrote."""

import hashlib
import json

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from tests.dlae_server.fakes import PREDICTIONS, SAMPLES
from tests.dlae_server.processes import ServerProcess, eventually, reason_of, states


def _source(server: ServerProcess, model: str = "tissue") -> pb.ConfigSource:
    """Returns a session of inference with a model and the images of the server's data folder."""
    sections = {
        "config_file": {"type_signal": "Inference"},
        "paths": {"load_model": model, "test_X": str(server.data / "X.h5")},
    }
    return pb.ConfigSource(json=json.dumps(sections))


def _run(server: ServerProcess, model: str = "tissue") -> pb.Job:
    request = pb.RunRequest(config=_source(server, model), name="case")
    job: pb.Job = server.training.Run(request).job
    return job


def _violations(error: grpc.RpcError) -> list[tuple[str, str]]:
    status = rpc_status.from_call(error)
    request = error_details_pb2.BadRequest()
    assert status is not None
    assert any(detail.Unpack(request) for detail in status.details)
    return [(row.field, row.reason) for row in request.field_violations]


def test_a_session_runs_to_a_file_that_is_fetched(server: ServerProcess) -> None:
    model = server.trained("tissue").model
    job = _run(server)
    assert (job.kind, job.model) == (pb.Job.KIND_INFERENCE, model)
    assert list(job.results) == []
    events = server.events(job.id)
    assert states(events) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    started = next(
        event.inference_started for event in events if event.HasField("inference_started")
    )
    assert started == pb.InferenceStarted(samples=SAMPLES, family="FCN", engine="openvino")
    told = [event.samples_predicted for event in events if event.HasField("samples_predicted")]
    assert [one.samples_done for one in told] == [SAMPLES // 2, SAMPLES]
    job = server.job(job.id)
    assert job.progress == pb.Progress(step=SAMPLES, steps=SAMPLES)
    (file,) = job.results
    digest = hashlib.sha256(PREDICTIONS).hexdigest()
    assert (file.name, file.size_bytes, file.sha256) == (
        "predictions.h5",
        len(PREDICTIONS),
        digest,
    )
    chunks = list(server.training.FetchResult(pb.FetchResultRequest(job_id=job.id)))
    assert b"".join(chunk.data for chunk in chunks) == PREDICTIONS
    assert [chunk.offset for chunk in chunks] == [0, 1 << 20, 2 << 20]
    rest = pb.FetchResultRequest(job_id=job.id, offset=len(PREDICTIONS) - 3)
    assert [chunk.data for chunk in server.training.FetchResult(rest)] == [PREDICTIONS[-3:]]
    beyond = pb.FetchResultRequest(job_id=job.id, offset=len(PREDICTIONS) + 1)
    with pytest.raises(grpc.RpcError) as caught:
        list(server.training.FetchResult(beyond))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert server.sample('dlae_jobs{kind="infer",state="succeeded"}') == 1
    assert server.sample('dlae_jobs{kind="train",state="succeeded"}') == 1
    folder = server.data_dir / "jobs" / job.id
    assert sorted(path.name for path in folder.iterdir()) == ["results", "worker.log"]


def test_run_trains_where_the_configuration_says_so(server: ServerProcess) -> None:
    server.behave("succeed")
    job = server.training.Run(pb.RunRequest(config=server.source(), name="any")).job
    server.events(job.id)
    job = server.job(job.id)
    assert (job.kind, job.model) == (pb.Job.KIND_TRAINING, "any@1")
    with pytest.raises(grpc.RpcError) as caught:
        list(server.training.FetchResult(pb.FetchResultRequest(job_id=job.id)))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert reason_of(caught.value) == "RESULT_NOT_FOUND"


def test_train_refuses_what_makes_no_model(server: ServerProcess) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Train(pb.TrainRequest(config=_source(server), name="case"))
    assert _violations(caught.value) == [("config_file.type_signal", "NO_TRAINING")]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("nobody", "MODEL_NOT_FOUND"),
        ("model:nobody@7", "MODEL_NOT_FOUND"),
        ("relative/model.keras", "NOT_ABSOLUTE"),
        ("/etc/passwd", "OUTSIDE_DATA_ROOTS"),
        ("{data}/none.keras", "DATASET_NOT_FOUND"),
        ("{data}", "DATASET_NOT_FOUND"),
    ],
)
def test_a_model_that_is_not_there_is_a_violation(
    model: str, reason: str, server: ServerProcess
) -> None:
    source = _source(server, model.format(data=server.data))
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Run(pb.RunRequest(config=source, name="case"))
    assert _violations(caught.value) == [("paths.load_model", reason)]
    answer = server.training.Validate(pb.ValidateRequest(config=source))
    assert [row.reason for row in answer.violations] == [reason]


def test_the_folder_of_a_fetched_model_is_allowed(server: ServerProcess) -> None:
    server.behave("succeed")
    folder = server.data / "fetched@2.1"
    folder.mkdir()
    (folder / "manifest.json").touch()
    job = _run(server, str(folder))
    assert job.model == ""
    server.events(job.id)
    assert server.job(job.id).state == pb.Job.STATE_SUCCEEDED


def test_a_running_session_keeps_its_model_and_is_cancelled(server: ServerProcess) -> None:
    server.trained("tissue")
    server.behave("wait")
    job = _run(server)
    eventually(lambda: server.job(job.id).samples_done > 0)
    with pytest.raises(grpc.RpcError) as caught:
        server.models.DeleteModel(models_pb2.DeleteModelRequest(model=job.model))
    assert reason_of(caught.value) == "MODEL_IN_USE"
    server.training.Cancel(pb.CancelRequest(job_id=job.id))
    assert states(server.events(job.id))[-1] == "CANCELLED"
    assert list(server.job(job.id).results) == []


def test_a_session_whose_worker_dies_goes_on_until_it_gets_no_further(
    server: ServerProcess,
) -> None:
    server.trained("tissue")
    server.behave("die")
    job = _run(server)
    events = server.events(job.id)
    messages = {event.state_changed.message for event in events}
    assert any("predicting stopped" in one and "goes on after" in one for one in messages)
    job = server.job(job.id)
    assert (job.state, job.error.reason) == (pb.Job.STATE_FAILED, "WORKER_DIED")
    assert job.attempt == 4
    server.behave("succeed")


def test_a_killed_server_does_not_lose_a_session(own_server: ServerProcess) -> None:
    own_server.trained("tissue")
    own_server.behave("wait")
    job = _run(own_server)
    eventually(lambda: own_server.job(job.id).samples_done > 0)
    own_server.process.kill()
    own_server.process.wait()
    own_server.behave("succeed")
    own_server.start()
    own_server.events(job.id)
    job = own_server.job(job.id)
    assert (job.state, job.attempt) == (pb.Job.STATE_SUCCEEDED, 2)
    assert [file.size_bytes for file in job.results] == [len(PREDICTIONS)]
