"""The client as a Python class."""

import json
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import code_pb2

from dlae.v1.config_pb2 import Config
from dlae_client import (
    Client,
    ClientError,
    DataLost,
    Exhausted,
    FailedPrecondition,
    InvalidConfiguration,
    InvalidRequest,
    JobCancelled,
    JobFailed,
    LocalFileError,
    NotFound,
    PermissionDenied,
    ServerFailed,
    ServerUnreachable,
)
from dlae_client.errors import ERRORS
from tests.dlae_client.fake_jobs import MISTAKES
from tests.dlae_client.fakes import FakeServer

BROKEN = {"broken": True}


def test_a_job_is_submitted_followed_and_ends_with_a_model(client: Client, config: Path) -> None:
    job = client.train(config, "tissue")
    finished = client.wait(job.id)
    assert finished.model == "tissue@1"
    assert client.status(job.id) == finished
    assert dict(finished.metrics) == {"loss": 0.41, "val_dice": 0.82}


def test_relative_paths_are_those_of_the_files_folder(
    client: Client, server: FakeServer, config: Path
) -> None:
    client.train(str(config))
    request = server.training.requests[-1]
    assert request.name == "tissue-study"
    paths = json.loads(request.config.json)["paths"]
    assert paths == {"train_X": str(config.parent / "X.h5"), "train_y": ""}


def test_dictionaries_and_messages_have_the_paths_of_the_current_folder(
    client: Client, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client.train({"paths": {"train_X": Path("X.h5"), "train_y": "/y.h5"}})
    message = Config()
    message.paths.train_x = "X.h5"
    client.train(message)
    by_text, by_message = server.training.requests
    assert by_text.name == by_message.name == "model"
    expected = {"train_X": str(tmp_path / "X.h5"), "train_y": "/y.h5"}
    assert json.loads(by_text.config.json)["paths"] == expected
    assert by_message.config.config.paths.train_x == str(tmp_path / "X.h5")
    assert message.paths.train_x == "X.h5"


@pytest.mark.parametrize("text", ["{not json", '{"paths": {}, "paths": {"train_X": "X.h5"}}'])
def test_a_text_that_the_server_must_judge_goes_unchanged(
    client: Client, server: FakeServer, config: Path, text: str
) -> None:
    config.write_text(text)
    client.train(config)
    assert server.training.requests[-1].config.json == text


def test_a_missing_file_and_what_json_cannot_hold_are_told(client: Client, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match=r"cannot read .*none\.json"):
        client.train(tmp_path / "none.json")
    with pytest.raises(InvalidRequest, match="configuration of texts"):
        client.train({"optimizer": object()})


def test_all_violations_come_with_the_error(client: Client) -> None:
    with pytest.raises(InvalidConfiguration, match="2 mistakes") as caught:
        client.train(BROKEN)
    found = [(row.path, row.reason, row.message) for row in caught.value.violations]
    assert tuple(found) == MISTAKES
    assert caught.value.reason == "INVALID_CONFIG"
    assert not client.validate(BROKEN).valid


def test_a_failed_and_a_cancelled_job_are_errors_of_wait(client: Client) -> None:
    with pytest.raises(JobFailed, match="the loss is NaN") as failed:
        client.wait(client.train({}, "failing").id)
    assert failed.value.reason == "TRAINING_DIVERGED"
    job = client.train({}, "endless")
    assert client.cancel(job.id).id == job.id
    with pytest.raises(JobCancelled, match=job.id):
        client.wait(job.id)
    with pytest.raises(FailedPrecondition) as ended:
        client.cancel(job.id)
    assert ended.value.reason == "JOB_FINISHED"


def test_jobs_and_models_come_from_all_pages(client: Client) -> None:
    made = [client.train({}, "tissue").id for _ in range(5)]
    assert [job.id for job in client.jobs()] == made[::-1]
    assert [model.version for model in client.models()] == [2, 1]


def test_what_does_not_exist_is_not_found_with_its_reason(client: Client) -> None:
    for call, reason in ((client.status, "JOB_NOT_FOUND"), (client.model, "MODEL_NOT_FOUND")):
        with pytest.raises(NotFound) as caught:
            call("nobody")
        assert caught.value.reason == reason
    with pytest.raises(NotFound):
        list(client.watch("nobody"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (code_pb2.INVALID_ARGUMENT, InvalidRequest),
        (code_pb2.NOT_FOUND, NotFound),
        (code_pb2.PERMISSION_DENIED, PermissionDenied),
        (code_pb2.UNAUTHENTICATED, PermissionDenied),
        (code_pb2.FAILED_PRECONDITION, FailedPrecondition),
        (code_pb2.RESOURCE_EXHAUSTED, Exhausted),
        (code_pb2.DATA_LOSS, DataLost),
        (code_pb2.UNAVAILABLE, ServerUnreachable),
        (code_pb2.DEADLINE_EXCEEDED, ServerUnreachable),
        (code_pb2.INTERNAL, ServerFailed),
        (code_pb2.UNIMPLEMENTED, ServerFailed),
    ],
)
def test_the_status_code_chooses_the_error(
    client: Client, server: FakeServer, code: int, error: type[ClientError]
) -> None:
    server.training.failure = (code, "SOME_REASON", "it is so")
    with pytest.raises(ClientError) as caught:
        client.status("any")
    assert type(caught.value) is error
    if code != code_pb2.DEADLINE_EXCEEDED:
        assert (caught.value.reason, str(caught.value)) == ("SOME_REASON", "it is so")


def test_every_code_of_the_table_is_one_of_grpc() -> None:
    assert all(isinstance(code, grpc.StatusCode) for code in ERRORS)


def test_nobody_listening_is_one_sentence() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ServerUnreachable) as caught:
        client.status("any")
    assert str(caught.value) == (
        "no DLAE server answers at 127.0.0.1:1; start one with `dlae-server` or name another "
        "with --server"
    )


def test_watch_goes_on_after_a_restart_and_misses_and_repeats_nothing(
    client: Client, server: FakeServer
) -> None:
    job = client.train({}, "endless")
    lost: list[bool] = []
    seen = []
    for event in client.watch(job.id, lost=lambda: lost.append(True)):
        seen.append(event.sequence)
        if event.sequence == 4:
            server.stop()
            restart = threading.Timer(0.3, server.start)
            restart.start()
            server.training.release(job.id)
    restart.join()
    assert seen == list(range(1, server.training.jobs[job.id].last_sequence + 1))
    assert len(lost) == 1
    first, second = server.training.seen
    assert (first, second >= 4) == (0, True)


def test_watch_goes_on_after_the_last_event_seen(client: Client, server: FakeServer) -> None:
    job = client.train({}, "tissue")
    last = server.training.jobs[job.id].last_sequence
    assert [event.sequence for event in client.watch(job.id, after=last - 2)] == [last - 1, last]


def test_watch_gives_up_when_the_server_stays_away(server: FakeServer) -> None:
    with Client(server.address, reconnect_seconds=0.5) as client:
        job = client.train({}, "endless")
        events = client.watch(job.id)
        next(events)
        server.stop()
        with pytest.raises(ServerUnreachable):
            list(events)


@pytest.mark.parametrize("dtype", ["float32", "uint16", ">f8", "bool"])
def test_small_batches_are_predicted_in_one_message(
    client: Client, server: FakeServer, dtype: str
) -> None:
    images = (np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)) > 0).astype(dtype)
    output = client.predict("tissue", images)
    assert output.dtype == np.float32
    np.testing.assert_array_equal(output, 2.0 * images)
    labels = client.predict("tissue@1", images[:, ::2], labels=True)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, images[:, ::2] > 0)
    assert server.prediction.calls[-1] == ("Predict", "tissue@1", (3, 4, 8, 1))


def test_large_batches_are_predicted_in_chunks(client: Client, server: FakeServer) -> None:
    images = np.random.default_rng(0).normal(size=(5, 300, 200, 1)).astype(np.float32)
    output = client.predict("tissue", images)
    np.testing.assert_array_equal(output, 2 * images)
    assert server.prediction.calls == [("PredictStream", "tissue", images.shape)]
    assert server.prediction.chunks == [1 << 20, images.nbytes - (1 << 20)]


def test_one_mebibyte_is_the_first_size_that_is_sent_in_chunks(
    client: Client, server: FakeServer
) -> None:
    for length in ((1 << 20) - 1, 1 << 20):
        client.predict("tissue", np.zeros((1, length), np.uint8), labels=True)
    assert [call[0] for call in server.prediction.calls] == ["Predict", "PredictStream"]


def test_images_that_are_no_numbers_are_refused(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="complex64") as caught:
        client.predict("tissue", np.zeros((1, 2), np.complex64))
    assert caught.value.reason == "INVALID_TENSOR"
