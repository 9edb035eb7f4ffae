"""Predictions in one message and in chunks."""

import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.arrays import array_from_bytes, array_from_tensor, header_from_array, tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1 import tensor_pb2
from tests.dlae_server.fakes import DEADLY, SLOW
from tests.dlae_server.processes import ServerProcess, eventually, reason_of

IMAGES = np.arange(2 * 8 * 8, dtype=np.int16).reshape(2, 8, 8, 1)
BATCHES = "dlae_inference_batch_size"
HEADER = tensor_pb2.TensorHeader(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=[4])


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """A trained model."""
    return server.trained("predicts").model


def predict(server: ServerProcess, model: str, images: np.ndarray) -> pb.PredictResponse:
    """Predicts in one message."""
    request = pb.PredictRequest(model=model, input=tensor_from_array(images))
    return server.prediction.Predict(request)


def test_a_tensor_is_predicted(server: ServerProcess, model: str) -> None:
    response = predict(server, "predicts", IMAGES)
    output = array_from_tensor(response.output)
    assert response.model == model
    assert output.dtype == np.float32
    np.testing.assert_array_equal(output, IMAGES * 2)


def test_labels_are_whole_numbers(server: ServerProcess, model: str) -> None:
    tensor = tensor_from_array(IMAGES)
    request = pb.PredictRequest(model=model, input=tensor, output_kind=pb.OUTPUT_KIND_LABELS)
    output = array_from_tensor(server.prediction.Predict(request).output)
    assert (output.dtype, output.shape) == (np.uint8, (2, 8, 8))


def test_a_batch_of_no_images_gives_no_output(server: ServerProcess, model: str) -> None:
    output = array_from_tensor(predict(server, model, IMAGES[:0]).output)
    assert output.shape == (0, 8, 8, 1)


def test_a_large_tensor_goes_in_chunks_both_ways(server: ServerProcess, model: str) -> None:
    images = np.random.default_rng(1).integers(0, 500, (3, 600, 600, 1), np.uint16)
    data = images.tobytes()
    parts = [data[start : start + 100_000] for start in range(0, len(data), 100_000)]
    responses = list(server.prediction.PredictStream(chunked(model, images, parts)))
    header = responses[0].header
    output = array_from_bytes(
        b"".join(part.data for part in responses[1:]), header.output.data_type, header.output.shape
    )
    assert header.model == model
    np.testing.assert_array_equal(output, images.astype(np.float32) * 2)
    assert max(len(part.data) for part in responses) <= 1 << 20


def chunked(
    model: str, images: np.ndarray, parts: Iterable[bytes]
) -> Iterator[pb.PredictStreamRequest]:
    """Yields the messages of a chunked request."""
    asked = pb.PredictStreamHeader(model=model, input=header_from_array(images))
    yield pb.PredictStreamRequest(header=asked)
    for part in parts:
        yield pb.PredictStreamRequest(data=part)


@pytest.mark.parametrize("sequence", ["", "d", "hh", "h", "hd", "hddd", "hdh"])
def test_a_stream_that_is_no_tensor_is_refused(
    server: ServerProcess, model: str, sequence: str
) -> None:
    header = pb.PredictStreamHeader(model=model, input=HEADER)
    messages = {
        "h": pb.PredictStreamRequest(header=header),
        "d": pb.PredictStreamRequest(data=b"\1\2"),
    }
    with pytest.raises(grpc.RpcError) as caught:
        list(server.prediction.PredictStream(messages[letter] for letter in sequence))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value) == "INVALID_STREAM"


def test_a_tensor_above_the_limit_is_refused_before_it_comes(
    server: ServerProcess, model: str
) -> None:
    shape = [1 << 20, (1 << 12) + 1]
    header = tensor_pb2.TensorHeader(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=shape)
    request = pb.PredictStreamRequest(header=pb.PredictStreamHeader(model=model, input=header))
    with pytest.raises(grpc.RpcError) as caught:
        list(server.prediction.PredictStream(iter([request])))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(caught.value) == "TENSOR_TOO_LARGE"


@pytest.mark.parametrize(
    "tensor",
    [
        tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=[3], data=b"12"),
        tensor_pb2.Tensor(shape=[2], data=b"12"),
        tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=[-1, -2], data=b"12"),
        tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_UINT8, shape=[0, 1 << 62, 1 << 62]),
    ],
)
def test_bytes_that_are_no_array_are_refused(
    server: ServerProcess, model: str, tensor: tensor_pb2.Tensor
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.prediction.Predict(pb.PredictRequest(model=model, input=tensor))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value) == "INVALID_TENSOR"


def test_an_image_that_does_not_suit_the_model_is_refused(
    server: ServerProcess, model: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        predict(server, model, np.full((1, 8, 8, 1), np.nan, np.float32))
    assert reason_of(caught.value) == "INVALID_IMAGE"


@pytest.mark.parametrize(
    ("reference", "code", "reason"),
    [
        ("unknown", grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
        ("predicts@99", grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
        ("predicts@0", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ("../etc", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ("", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ],
)
def test_a_reference_that_means_no_model_is_refused(
    server: ServerProcess, model: str, reference: str, code: grpc.StatusCode, reason: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        predict(server, reference, IMAGES)
    assert (caught.value.code(), reason_of(caught.value)) == (code, reason)


def test_a_model_whose_process_died_is_loaded_again(server: ServerProcess, model: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        predict(server, model, np.full((1, 8, 8, 1), DEADLY, np.uint16))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert reason_of(caught.value) == "MODEL_PROCESS_DIED"
    assert predict(server, model, IMAGES).model == model
    # The next process was asked once more.
    assert 'dlae_worker_restarts_total{reason="model_died"} 2.0' in server.metrics()


def test_too_many_predictions_are_refused_and_the_others_answered(
    server: ServerProcess, model: str
) -> None:
    slow = np.full((1, 8, 8, 1), SLOW, np.uint16)

    def outcome(_: int) -> str:
        try:
            return predict(server, model, slow).model
        except grpc.RpcError as error:
            return reason_of(error)

    with ThreadPoolExecutor(5) as threads:
        outcomes = list(threads.map(outcome, range(5)))
    assert sorted(outcomes) == ["QUEUE_FULL"] * 2 + [model] * 3


def test_a_caller_that_goes_away_leaves_the_model_usable(server: ServerProcess, model: str) -> None:
    slow = tensor_from_array(np.full((1, 8, 8, 1), SLOW, np.uint16))
    request = pb.PredictRequest(model=model, input=slow)
    with pytest.raises(grpc.RpcError) as caught:
        server.prediction.Predict(request, timeout=0.1)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    np.testing.assert_array_equal(
        array_from_tensor(predict(server, model, IMAGES).output), IMAGES * 2
    )
    eventually(lambda: "dlae_inference_pending 0.0" in server.metrics())


def test_at_most_two_models_are_loaded(server: ServerProcess, model: str) -> None:
    others = [server.trained(name).model for name in ("second", "third")]
    for reference in (model, *others):
        assert predict(server, reference, IMAGES).model == reference
    page = server.metrics()
    assert page.count("\ndlae_model_loaded{") == 2
    assert 'dlae_model_loaded{model="predicts"' not in page


def test_a_damaged_model_is_data_loss(server: ServerProcess) -> None:
    job = server.trained("damaged")
    path = server.data_dir / "models" / job.id / "model.keras"
    # Of this model alone: others have the same file.
    path.unlink()
    path.write_bytes(b"x")
    with pytest.raises(grpc.RpcError) as caught:
        predict(server, "damaged", IMAGES)
    assert caught.value.code() == grpc.StatusCode.DATA_LOSS
    assert reason_of(caught.value) == "CORRUPT_ARTIFACT"


def test_a_refused_prediction_says_when_to_try_again(server: ServerProcess, model: str) -> None:
    slow = np.full((1, 8, 8, 1), SLOW, np.uint16)

    def delay(_: int) -> float | None:
        try:
            predict(server, model, slow)
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)
            info = error_details_pb2.RetryInfo()
            assert status.details[-1].Unpack(info)
            return info.retry_delay.ToNanoseconds() / 1e9
        return None

    with ThreadPoolExecutor(5) as threads:
        delays = [seconds for seconds in threads.map(delay, range(5)) if seconds is not None]
    assert len(delays) == 2
    assert all(0.05 <= seconds <= 1 for seconds in delays)


def test_callers_who_wait_are_served_by_one_call_each_with_its_own_output(
    server: ServerProcess, model: str
) -> None:
    batches = [np.full((count, 8, 8, 1), SLOW + count - 1, np.int32) for count in (1, 2, 3)]
    calls, images = server.sample(BATCHES + "_count"), server.sample(BATCHES + "_sum")

    def output(batch: np.ndarray) -> np.ndarray:
        return array_from_tensor(predict(server, model, batch).output)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(output, batches[0])
        time.sleep(0.15)
        outputs = [*threads.map(output, batches[1:])]
    for batch, result in zip(batches, [first.result(), *outputs], strict=True):
        np.testing.assert_array_equal(result, batch.astype(np.float32) * 2)
    assert server.sample(BATCHES + "_count") == calls + 2
    assert server.sample(BATCHES + "_sum") == images + 6


def test_a_caller_whose_deadline_passes_in_the_queue_never_reaches_the_engine(
    server: ServerProcess, model: str
) -> None:
    calls = server.sample(BATCHES + "_count")
    slow = tensor_from_array(np.full((1, 8, 8, 1), SLOW, np.uint16))
    request = pb.PredictRequest(model=model, input=slow)
    working = server.prediction.Predict.future(request)
    time.sleep(0.1)
    with pytest.raises(grpc.RpcError):
        server.prediction.Predict(request, timeout=0.05)
    working.result()
    predict(server, model, IMAGES)
    assert server.sample(BATCHES + "_count") == calls + 2


def test_stages_and_memory_of_models_are_measured(server: ServerProcess, model: str) -> None:
    predict(server, model, IMAGES)
    for stage in ("queue", "input", "infer", "output"):
        assert server.sample(f'dlae_inference_stage_seconds_count{{stage="{stage}"}}') > 0
    name, version = model.split("@")
    labels = f'{{model="{name}",version="{version}"}}'
    assert 10e6 < server.sample(f"dlae_model_memory_bytes{labels}") < 1e9


def test_a_new_version_is_the_one_that_its_name_means_at_once(server: ServerProcess) -> None:
    for _ in range(3):
        newest = server.trained("renewed").model
        assert predict(server, "renewed", IMAGES).model == newest
        assert predict(server, "renewed@1", IMAGES).model == "renewed@1"


def test_a_volume_leaves_no_memory_in_use_behind_it(server: ServerProcess, model: str) -> None:
    def resident() -> int:
        pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    predict(server, model, IMAGES)
    before = resident()
    volume = np.ones((1, 512, 512, 128), np.float32)
    data = memoryview(volume.reshape(-1).view(np.uint8))
    parts = (bytes(data[start : start + (1 << 20)]) for start in range(0, len(data), 1 << 20))
    count = sum(
        len(part.data) for part in server.prediction.PredictStream(chunked(model, volume, parts))
    )
    assert count == volume.nbytes == 128 << 20
    eventually(lambda: resident() < before + (96 << 20))
