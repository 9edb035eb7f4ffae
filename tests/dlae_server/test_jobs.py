"""Jobs that there are, through the service: repeated, paused, filtered, logged, deleted."""

import threading

import grpc
import pytest

from dlae.v1 import training_pb2 as pb
from tests.dlae_server.processes import ServerProcess, eventually, reason_of, states

Options = pb.JobOptions


def submitted(server: ServerProcess, name: str = "m", **options: object) -> pb.Job:
    request = pb.TrainRequest(config=server.source(), name=name, options=Options(**options))
    return server.training.Train(request).job


def named(server: ServerProcess, **filters: object) -> list[str]:
    return [job.id for job in server.training.ListJobs(pb.ListJobsRequest(**filters)).jobs]


def test_a_repeated_request_is_the_same_job_though_the_queue_is_full(
    server: ServerProcess,
) -> None:
    server.behave("wait")
    running = submitted(server, request_id="r1")
    server.waits(running.id)
    waiting = [submitted(server, request_id=f"w{number}") for number in range(3)]
    with pytest.raises(grpc.RpcError) as caught:
        submitted(server)
    assert reason_of(caught.value) == "QUEUE_FULL"
    assert submitted(server, request_id="r1").id == running.id
    with pytest.raises(grpc.RpcError) as caught:
        submitted(server, name="other", request_id="r1")
    assert caught.value.code() == grpc.StatusCode.ALREADY_EXISTS
    assert reason_of(caught.value) == "REQUEST_ID_IN_USE"
    server.behave("succeed")
    for job in waiting:
        server.events(job.id)


def test_two_that_ask_at_once_get_the_same_job(server: ServerProcess) -> None:
    server.behave("succeed")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(submitted(server, request_id="both").id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (8, 1)
    server.events(found[0])


def test_a_job_is_paused_and_goes_on(server: ServerProcess) -> None:
    server.behave("wait")
    job = submitted(server)
    server.waits(job.id)
    assert server.training.Pause(pb.PauseRequest(job_id=job.id)).job.state == pb.Job.STATE_PAUSING
    eventually(lambda: server.job(job.id).state == pb.Job.STATE_PAUSED)
    server.behave("succeed")
    server.training.Resume(pb.ResumeRequest(job_id=job.id))
    told = ["QUEUED", "RUNNING", "PAUSING", "PAUSED", "QUEUED", "RUNNING", "SUCCEEDED"]
    assert states(server.events(job.id)) == told
    for call in (
        lambda: server.training.Pause(pb.PauseRequest(job_id=job.id)),
        lambda: server.training.Resume(pb.ResumeRequest(job_id=job.id)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert reason_of(caught.value) == "JOB_FINISHED"


def test_a_session_of_inference_is_paused_too(server: ServerProcess) -> None:
    server.behave("wait")
    source = server.source(
        config_file__type_signal="Inference",
        paths__test_X=str(server.data / "X.h5"),
        paths__load_model=server.trained("session").model,
    )
    server.behave("wait")
    job = server.training.Run(pb.RunRequest(config=source, name="s")).job
    eventually(lambda: server.job(job.id).samples_done > 0)
    server.training.Pause(pb.PauseRequest(job_id=job.id))
    eventually(lambda: server.job(job.id).state == pb.Job.STATE_PAUSED)
    server.behave("succeed")
    server.training.Resume(pb.ResumeRequest(job_id=job.id))
    assert states(server.events(job.id))[-1] == "SUCCEEDED"


def test_jobs_are_found_by_what_they_have(server: ServerProcess) -> None:
    server.behave("succeed")
    labels = {"study": "7"}
    job = submitted(server, name="found", user="ann", labels=labels)
    server.events(job.id)
    for filters in ({"name": "found"}, {"user": "ann"}, {"labels": labels}):
        assert named(server, **filters) == [job.id]
        assert named(server, **filters, states=[pb.Job.STATE_SUCCEEDED]) == [job.id]
        assert named(server, **filters, states=[pb.Job.STATE_FAILED]) == []


def test_what_cannot_be_had_is_refused(server: ServerProcess) -> None:
    for wrong in ({"cores": 1 << 20}, {"priority": 101}, {"labels": {"": "x"}}):
        with pytest.raises(grpc.RpcError) as caught:
            submitted(server, **wrong)
        assert reason_of(caught.value) == "INVALID_REQUEST"


def test_a_log_is_followed_to_the_end_of_its_job(server: ServerProcess) -> None:
    server.behave("wait")
    job = submitted(server)
    server.waits(job.id)
    log = server.data_dir / "jobs" / job.id / "worker.log"
    with log.open("a") as file:
        file.write("one line\n")
    stream = server.training.Logs(pb.LogsRequest(job_id=job.id, follow=True))
    pieces = [next(stream)]
    while pieces[-1].data:
        # A heartbeat comes where nothing happens.
        pieces.append(next(stream))
    with log.open("a") as file:
        file.write("another\n")
    server.behave("succeed")
    pieces += list(stream)
    text = b"".join(piece.data for piece in pieces).decode()
    assert text == log.read_text()
    assert "one line\nanother\n" in text
    rest = server.training.Logs(pb.LogsRequest(job_id=job.id, offset=len(text) - 8))
    assert [piece.data for piece in rest] == [b"another\n"]
    with pytest.raises(grpc.RpcError) as caught:
        list(server.training.Logs(pb.LogsRequest(job_id=job.id, offset=-1)))
    assert reason_of(caught.value) == "INVALID_REQUEST"


def test_a_deleted_job_is_gone_and_its_model_stays(server: ServerProcess) -> None:
    job = server.trained("kept")
    deleted = server.training.DeleteJob(pb.DeleteJobRequest(job_id=job.id)).job
    assert deleted == job
    with pytest.raises(grpc.RpcError) as caught:
        server.job(job.id)
    assert reason_of(caught.value) == "JOB_NOT_FOUND"
    assert not (server.data_dir / "jobs" / job.id).exists()
    assert (server.data_dir / "models" / job.id / "model.keras").is_file()


def test_what_waits_is_not_deleted(server: ServerProcess) -> None:
    server.behave("wait")
    job = submitted(server)
    server.waits(job.id)
    with pytest.raises(grpc.RpcError) as caught:
        server.training.DeleteJob(pb.DeleteJobRequest(job_id=job.id))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value) == "JOB_BUSY"
    server.behave("succeed")
    server.events(job.id)
