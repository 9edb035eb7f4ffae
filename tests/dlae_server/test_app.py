"""The server as a process: start, stop, crash, and what it shows of itself."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dlae.v1 import training_pb2 as pb
from tests.dlae_server.processes import ServerProcess, eventually, reason_of, states

pytestmark = pytest.mark.slow  # starts servers

LOST = (
    "the server stopped while this job was running; "
    "training goes on from its last checkpoint, or from the beginning where there is none"
)


def dlae_server(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    command = [sys.executable, "-m", "dlae_server.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_killed_server_trains_its_job_again(own_server: ServerProcess) -> None:
    own_server.behave("wait")
    job = own_server.train()
    own_server.waits(job.id)
    assert own_server.stop(signal.SIGKILL) == -signal.SIGKILL
    own_server.behave("succeed")
    own_server.start()
    events = own_server.events(job.id)
    assert states(events) == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "SUCCEEDED"]
    messages = [event.state_changed.message for event in events]
    assert [message for message in messages if message] == [LOST]
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert own_server.job(job.id).attempt == 2


def test_a_job_fails_when_the_server_is_killed_over_and_over_at_one_place(
    own_server: ServerProcess,
) -> None:
    own_server.behave("wait")
    job = own_server.train()
    own_server.waits(job.id)
    for attempt in (1, 2, 3, 4):
        eventually(lambda attempt=attempt: own_server.job(job.id).attempt == attempt)
        own_server.stop(signal.SIGKILL)
        own_server.start()
    last = own_server.events(job.id)[-1].state_changed
    assert (last.state, last.error.reason) == (pb.Job.STATE_FAILED, "SERVER_STOPPED")


def test_a_job_that_was_being_cancelled_in_a_crash_is_cancelled(
    own_server: ServerProcess,
) -> None:
    own_server.behave("wait")
    job = own_server.train()
    own_server.waits(job.id)
    own_server.stop(signal.SIGKILL)
    with sqlite3.connect(own_server.data_dir / "dlae.sqlite3") as store:
        (blob,) = store.execute("SELECT job FROM jobs").fetchone()
        cancelling = pb.Job.FromString(blob)
        cancelling.state = pb.Job.STATE_CANCELLING
        row = (cancelling.state, cancelling.SerializeToString())
        store.execute("UPDATE jobs SET state = ?, job = ?", row)
    store.close()
    own_server.start()
    assert own_server.job(job.id).state == pb.Job.STATE_CANCELLED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_stop_puts_the_running_job_back(
    own_server: ServerProcess, number: signal.Signals
) -> None:
    own_server.behave("wait")
    job = own_server.train()
    own_server.waits(job.id)
    stream = own_server.training.Watch(pb.WatchRequest(job_id=job.id))
    next(stream)
    start = time.monotonic()
    own_server.process.send_signal(number)
    with pytest.raises(grpc.RpcError) as caught:
        list(stream)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert reason_of(caught.value) == "SHUTTING_DOWN"
    assert own_server.process.wait(timeout=10) == 0
    assert time.monotonic() - start < 10
    assert not (own_server.data_dir / "server.json").exists()
    with sqlite3.connect(own_server.data_dir / "dlae.sqlite3") as store:
        (state,) = store.execute("SELECT state FROM jobs").fetchone()
    store.close()
    own_server.channel.close()
    assert state == pb.Job.STATE_QUEUED
    own_server.behave("succeed")
    own_server.start()
    assert states(own_server.events(job.id))[-1] == "SUCCEEDED"


def test_a_second_server_on_one_data_folder_is_refused(server: ServerProcess) -> None:
    result = dlae_server("--data-dir", server.data_dir, "--listen", "127.0.0.1:0", "--no-metrics")
    assert result.returncode == 1
    assert "another dlae-server uses the data folder" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_in_use_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    result = dlae_server("--data-dir", tmp_path, "--listen", server.facts["listen"], "--no-metrics")
    assert result.returncode == 1
    assert "the port is in use" in result.stderr
    port = str(server.facts["metrics_port"])
    listen = ("--listen", "127.0.0.1:0", "--metrics-port", port)
    result = dlae_server("--data-dir", tmp_path, *listen)
    assert result.returncode == 1
    assert f"cannot serve metrics on port {port}" in result.stderr


@pytest.mark.parametrize(
    ("listen", "sentence"),
    [
        ("0.0.0.0:1", "expected --tls-certificate and --tls-key"),
        ("nowhere", "expected --listen HOST:PORT"),
        ("127.0.0.1:99999", "expected a port from 0 to 65535"),
    ],
)
def test_an_address_that_is_not_this_machine_is_refused(
    tmp_path: Path, listen: str, sentence: str
) -> None:
    result = dlae_server("--data-dir", tmp_path, "--listen", listen)
    assert result.returncode == 1
    assert sentence in result.stderr


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "dlae.sqlite3") as store:
        store.execute("PRAGMA user_version = 99")
    store.close()
    result = dlae_server("--data-dir", tmp_path, "--listen", "127.0.0.1:0", "--no-metrics")
    assert result.returncode == 1
    assert "got version 99" in result.stderr


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dlae.sqlite3").write_bytes(b"no database" * 500)
    result = dlae_server("--data-dir", tmp_path, "--listen", "127.0.0.1:0", "--no-metrics")
    assert result.returncode == 1
    assert "the server's database cannot be used" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_process_of_the_port_imports_no_tensorflow() -> None:
    program = (
        "import json, sys, dlae_server.main; "
        "print(json.dumps([name for name in sys.modules if name in ('keras', 'tensorflow')]))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(result.stdout) == []


def test_health_and_reflection_answer(server: ServerProcess) -> None:
    health = health_pb2_grpc.HealthStub(server.channel)
    request = health_pb2.HealthCheckRequest(service="dlae.v1.TrainingService")
    assert health.Check(request).status == health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(request)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="none"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    reflection = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = reflection.ServerReflectionInfo(iter([asked]))
    names = {service.name for service in answer.list_services_response.service}
    assert {"dlae.v1.TrainingService", "dlae.v1.ModelService"} <= names


def test_metrics_tell_of_jobs_and_calls(own_server: ServerProcess) -> None:
    own_server.behave("wait")
    job = own_server.train("measured")
    own_server.waits(job.id)
    page = own_server.metrics()
    assert 'dlae_jobs{kind="train",state="running"} 1.0' in page
    series = f'dlae_train_metric{{job="{job.id}",name="loss",split="validation"}} 2.0'
    assert series in page
    own_server.behave("succeed")
    own_server.events(job.id)
    page = own_server.metrics()
    assert "dlae_train_metric{" not in page
    for line in (
        'dlae_jobs{kind="train",state="succeeded"} 1.0',
        'dlae_job_transitions_total{kind="train",to="running"} 1.0',
        "dlae_job_queue_wait_seconds_count 1.0",
        'dlae_job_duration_seconds_count{kind="train",outcome="succeeded"} 1.0',
        "dlae_train_steps_total 6.0",
        "dlae_train_samples_total 24.0",
        "dlae_train_epochs_total 2.0",
        'grpc_server_handled_total{grpc_code="OK",grpc_method="Train",'
        'grpc_service="dlae.v1.TrainingService",grpc_type="unary"} 1.0',
        "dlae_build_info{",
    ):
        assert line in page


def test_the_log_holds_no_paths_and_one_line_per_call(own_server: ServerProcess) -> None:
    job = own_server.trained("quiet")
    with pytest.raises(grpc.RpcError):
        own_server.job("none")
    own_server.stop()
    log = own_server.log.read_text()
    assert log.count("TrainingService/Train OK") == 1
    assert "TrainingService/Status NOT_FOUND" in log
    assert f"job {job.id}: succeeded" in log
    assert "X.h5" not in log
    assert "Traceback" not in log
