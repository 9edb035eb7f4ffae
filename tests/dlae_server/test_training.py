"""Jobs from submission to end."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.v1 import training_pb2 as pb
from tests.dlae_server.processes import ServerProcess, reason_of, states


def test_a_job_runs_to_a_model(server: ServerProcess) -> None:
    job = server.trained("tissue")
    assert job.id.startswith("tissue-")
    assert len(job.id) == len("tissue-") + 4
    assert (job.state, job.attempt) == (pb.Job.STATE_SUCCEEDED, 1)
    assert job.model.startswith("tissue@")
    assert dict(job.metrics) == {"loss": 0.5, "val_loss": 1.0}
    assert job.progress == pb.Progress(epoch=2, epochs=2, step=3, steps=3)
    events = server.events(job.id)
    assert states(events) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    kinds = [event.WhichOneof("kind") for event in events]
    assert kinds == [
        "state_changed",
        "state_changed",
        "training_started",
        "epoch_finished",
        "epoch_finished",
        "model_saved",
        "state_changed",
    ]
    assert events[-1].sequence == job.last_sequence


def test_a_name_in_use_makes_a_new_version(server: ServerProcess) -> None:
    assert [server.trained("twice").model for _ in range(2)] == ["twice@1", "twice@2"]


def test_a_watch_goes_on_after_the_last_event_seen(server: ServerProcess) -> None:
    server.behave("wait")
    job = server.train()
    stream = server.training.Watch(pb.WatchRequest(job_id=job.id))
    seen = [next(stream).event.sequence for _ in range(2)]
    stream.cancel()
    server.behave("succeed")
    rest = server.events(job.id, after=seen[-1])
    assert seen == [1, 2]
    lasting = [event for event in rest if not event.HasField("step_finished")]
    assert lasting == [event for event in server.events(job.id) if event.sequence > 2]
    assert states(rest)[-1] == "SUCCEEDED"


def test_a_quiet_watch_carries_heartbeats(server: ServerProcess) -> None:
    server.behave("wait")
    job = server.train()
    server.waits(job.id)
    stream = server.training.Watch(pb.WatchRequest(job_id=job.id, after_sequence=1 << 40))
    assert not next(stream).HasField("event")
    server.behave("succeed")
    server.events(job.id)


def test_a_running_job_is_cancelled(server: ServerProcess) -> None:
    server.behave("wait")
    job = server.train()
    server.waits(job.id)
    answer = server.training.Cancel(pb.CancelRequest(job_id=job.id)).job
    assert answer.state == pb.Job.STATE_CANCELLING
    told = states(server.events(job.id))
    assert told == ["QUEUED", "RUNNING", "CANCELLING", "CANCELLED"]
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Cancel(pb.CancelRequest(job_id=job.id))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value) == "JOB_FINISHED"


def test_a_waiting_job_is_cancelled_at_once_and_a_full_queue_refuses(
    server: ServerProcess,
) -> None:
    server.behave("wait")
    running = server.train()
    server.waits(running.id)
    waiting = [server.train() for _ in range(3)]
    with pytest.raises(grpc.RpcError) as caught:
        server.train()
    assert reason_of(caught.value) == "QUEUE_FULL"
    for job in waiting:
        cancelled = server.training.Cancel(pb.CancelRequest(job_id=job.id)).job
        assert cancelled.state == pb.Job.STATE_CANCELLED
        assert states(server.events(job.id)) == ["QUEUED", "CANCELLED"]
    server.behave("succeed")
    assert states(server.events(running.id))[-1] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("behaviour", "reason", "sentence"),
    [
        ("fail", "TRAINING_DIVERGED", "the loss is not a number"),
        ("break", "INTERNAL", "internal error; the server's log names it"),
        ("die", "WORKER_DIED", "its process was killed"),
    ],
)
def test_what_goes_wrong_in_a_job_is_its_error(
    server: ServerProcess, behaviour: str, reason: str, sentence: str
) -> None:
    server.behave(behaviour)
    job = server.train()
    last = server.events(job.id)[-1].state_changed
    assert (last.state, last.error.reason) == (pb.Job.STATE_FAILED, reason)
    assert sentence in last.error.message
    assert server.job(job.id).error == last.error


def test_a_job_whose_worker_dies_is_tried_again_and_told_once(server: ServerProcess) -> None:
    server.behave("die")
    job = server.train()
    events = server.events(job.id)
    assert states(events) == ["QUEUED", *["RUNNING", "QUEUED"] * 3, "RUNNING", "FAILED"]
    told = [
        event.epoch_finished.progress.epoch for event in events if event.HasField("epoch_finished")
    ]
    assert told == [1]
    after = server.job(job.id)
    assert (after.attempt, after.stalls, after.steps_done, after.samples_done) == (4, 3, 3, 12)
    assert after.epochs_done == 1


def test_what_libraries_print_goes_to_the_log_of_the_job(server: ServerProcess) -> None:
    server.behave("chatter")
    job = server.train()
    assert states(server.events(job.id))[-1] == "SUCCEEDED"
    log = server.data_dir / "jobs" / job.id / "worker.log"
    assert "a library that prints" in log.read_text()


def test_all_mistakes_come_in_one_status(server: ServerProcess) -> None:
    changes = {
        "paths__train_X": "X.h5",
        "paths__train_y": "/etc/passwd",
        "training_configurations__epochs": -1,
    }
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Train(pb.TrainRequest(config=server.source(**changes), name="m"))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value) == "INVALID_CONFIG"
    details = rpc_status.from_call(caught.value).details
    request, bad = error_details_pb2.RequestInfo(), error_details_pb2.BadRequest()
    assert details[1].Unpack(request)
    assert details[2].Unpack(bad)
    assert request.request_id
    found = {(row.field, row.reason) for row in bad.field_violations}
    assert ("paths.train_X", "NOT_ABSOLUTE") in found
    assert ("paths.train_y", "OUTSIDE_DATA_ROOTS") in found
    assert "training_configurations.epochs" in {field for field, _ in found}


def test_a_thousand_mistakes_fit_into_a_status(server: ServerProcess) -> None:
    layers = ["Input:(8, 8, 1)", *("Unheard of" for _ in range(1000))]
    source = server.source(layers__serial_layer_list=layers)
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Train(pb.TrainRequest(config=source, name="m"))
    assert reason_of(caught.value) == "INVALID_CONFIG"
    answer = server.training.Validate(pb.ValidateRequest(config=source))
    assert not answer.valid
    assert len(answer.violations) >= 1000


@pytest.mark.parametrize("name", ["", "UPPER", "-a", "a b", "a/b", "a" * 65, "a\n"])
def test_a_name_that_is_not_allowed_is_refused(server: ServerProcess, name: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.train(name)
    assert reason_of(caught.value) == "INVALID_REQUEST"


def test_a_request_without_a_configuration_is_refused(server: ServerProcess) -> None:
    for method, request in (
        (server.training.Train, pb.TrainRequest(name="m")),
        (server.training.Validate, pb.ValidateRequest()),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            method(request)
        assert reason_of(caught.value) == "INVALID_REQUEST"


def test_an_unknown_job_is_not_found(server: ServerProcess) -> None:
    calls = (
        lambda: server.job("none"),
        lambda: server.training.Cancel(pb.CancelRequest(job_id="none")),
        lambda: server.events("none"),
    )
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        assert reason_of(caught.value) == "JOB_NOT_FOUND"


def test_a_valid_configuration_is_answered_with_its_graph(server: ServerProcess) -> None:
    answer = server.training.Validate(pb.ValidateRequest(config=server.source()))
    assert answer.valid
    assert answer.graphs[0].layers[0].type == "Dense"
    assert "FEW_SAMPLES" in {warning.reason for warning in answer.warnings}


def test_what_is_not_supported_yet_is_not_trained_but_its_graph_is_built(
    server: ServerProcess,
) -> None:
    several = {"training_configurations__hardware": "multi-gpu"}
    source = server.source(training_configurations__jit_compile_switch=True, **several)
    with pytest.raises(grpc.RpcError) as caught:
        server.training.Train(pb.TrainRequest(config=source, name="m"))
    assert reason_of(caught.value) == "INVALID_CONFIG"
    assert "training_configurations.jit_compile_switch" in caught.value.details()
    answer = server.training.Validate(pb.ValidateRequest(config=source))
    assert answer.graphs[0].layers[0].type == "Dense"


def test_jobs_come_in_pages_the_newest_first(server: ServerProcess) -> None:
    whole = server.training.ListJobs(pb.ListJobsRequest()).jobs
    first = server.training.ListJobs(pb.ListJobsRequest(page_size=2))
    request = pb.ListJobsRequest(page_size=1000, page_token=first.next_page_token)
    second = server.training.ListJobs(request)
    times = [job.create_time.ToNanoseconds() for job in whole]
    assert times == sorted(times, reverse=True)
    assert [*first.jobs, *second.jobs] == list(whole)
    assert not second.next_page_token
    with pytest.raises(grpc.RpcError) as caught:
        server.training.ListJobs(pb.ListJobsRequest(page_token="x"))
    assert reason_of(caught.value) == "INVALID_REQUEST"
