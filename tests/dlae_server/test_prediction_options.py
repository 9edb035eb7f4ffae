"""Options of predictions: taken, refused, described; and who goes first."""

import hashlib

import grpc
import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae.arrays import array_from_tensor, header_from_array, tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1 import training_pb2
from dlae_core.bundle import MANIFEST_FILE
from dlae_core.errors import InvalidOptions
from dlae_server.main import _settings, main
from dlae_server.services.prediction import _options
from tests.dlae_server.processes import ServerProcess, reason_of

IMAGES = np.arange(2 * 8 * 8, dtype=np.int16).reshape(2, 8, 8, 1)


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """A trained model that gives labels with a threshold where nothing else is asked for."""
    server.behave("succeed")
    source = server.source(prediction__labels_switch=True, prediction__threshold=0.5)
    job = server.training.Train(training_pb2.TrainRequest(config=source, name="labels")).job
    server.events(job.id)
    return server.job(job.id).model


def _predict(server: ServerProcess, model: str, **asked: object) -> pb.PredictResponse:
    request = pb.PredictRequest(model=model, input=tensor_from_array(IMAGES), **asked)
    return server.prediction.Predict(request)


def test_what_the_model_keeps_acts_unless_the_request_says_otherwise(
    server: ServerProcess, model: str
) -> None:
    kept = array_from_tensor(_predict(server, model).output)
    assert (kept.dtype, kept.min()) == (np.uint8, 1)
    options = pb.PredictOptions(most_probable=True)
    assert array_from_tensor(_predict(server, model, options=options).output).max() == 0
    plain = _predict(server, model, output_kind=pb.OUTPUT_KIND_OUTPUT)
    np.testing.assert_array_equal(array_from_tensor(plain.output), IMAGES * 2.0)


def test_the_answer_names_the_model_by_its_hash_and_tells_what_was_done_when_asked(
    server: ServerProcess, model: str
) -> None:
    quiet = _predict(server, model)
    (manifest,) = (server.data_dir / "models").glob(f"*/{MANIFEST_FILE}")
    assert quiet.model_sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert not quiet.HasField("description")
    told = _predict(server, model, describe=True, priority=pb.PRIORITY_BATCH).description
    assert told.output_kind == pb.OUTPUT_KIND_LABELS
    assert list(told.postprocessing) == ["most probable class but the background, from 0.5"]
    assert (told.engine, told.tiles, told.mirror_images) == ("fake", 1, 1)


def test_chunked_requests_have_options_too(server: ServerProcess, model: str) -> None:
    header = pb.PredictStreamHeader(
        model=model,
        input=header_from_array(IMAGES),
        options=pb.PredictOptions(most_probable=True),
        describe=True,
        priority=pb.PRIORITY_BATCH,
    )
    parts = [
        pb.PredictStreamRequest(header=header),
        pb.PredictStreamRequest(data=IMAGES.tobytes()),
    ]
    first, *rest = server.prediction.PredictStream(iter(parts))
    assert list(first.header.description.postprocessing) == ["most probable class"]
    assert len(first.header.model_sha256) == 64
    assert b"".join(part.data for part in rest) == bytes(IMAGES.size)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"options": pb.PredictOptions(threshold=2)}, "INVALID_OPTIONS"),
        ({"options": pb.PredictOptions(tile_blend="x")}, "INVALID_OPTIONS"),
        ({"output_kind": 9}, "INVALID_REQUEST"),
        ({"priority": 9}, "INVALID_REQUEST"),
        ({"output_kind": pb.OUTPUT_KIND_BOXES}, "INVALID_IMAGE"),
    ],
)
def test_what_does_not_exist_is_refused(
    server: ServerProcess, model: str, asked: dict[str, object], reason: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        _predict(server, model, **asked)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value) == reason


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_as_options_are_refused_or_become_short(data: bytes) -> None:
    request = pb.PredictRequest()
    try:
        request.options.MergeFromString(data)
    except DecodeError:  # gRPC answers for us
        return
    request.options.SetInParent()
    try:
        options = _options(request)
    except InvalidOptions:
        return
    assert len(options) < 200
    assert pb.PredictOptions.FromString(options).SerializeToString(deterministic=True) == options


def test_options_that_change_nothing_are_those_of_the_model() -> None:
    assert _options(pb.PredictRequest(options=pb.PredictOptions())) == b""
    assert _options(pb.PredictRequest()) == b""


def test_the_operators_engine_and_threads_are_settings() -> None:
    context = main.make_context("dlae-server", ["--engine", "onnxruntime", "--engine-threads", "2"])
    found = _settings(context.params)
    assert (found.engine, found.engine_threads) == ("onnxruntime", 2)
    plain = _settings(main.make_context("dlae-server", []).params)
    assert (plain.engine, plain.engine_threads) == (None, None)


def test_which_models_are_loaded_and_where_http_is_served_are_settings() -> None:
    given = ["--pin", "liver", "--pin", "lung@production", "--loaded-models", "5"]
    given += ["--model-memory", "300", "--rest-address", "127.0.0.1:8000"]
    found = _settings(main.make_context("dlae-server", given).params)
    assert found.pinned == ("liver", "lung@production")
    assert (found.loaded_models, found.model_bytes) == (5, 300_000_000)
    assert found.rest_address == "127.0.0.1:8000"
    plain = _settings(main.make_context("dlae-server", []).params)
    assert (plain.pinned, plain.loaded_models, plain.model_bytes) == ((), 2, None)
    assert plain.rest_address is None
