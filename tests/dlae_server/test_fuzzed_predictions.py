"""Tensors, chunk streams and bodies that are made up: answered where they fit, else refused.

The answer is right or the status is one that tells the caller so, never a fault of ours; the server
holds no more handles afterwards, and answers as before. `DLAE_FUZZ_EXAMPLES` makes up more.
"""

import http.client
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlae.arrays import DATA_TYPES, array_from_bytes, array_from_tensor, tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.tensor_pb2 import Tensor, TensorHeader
from dlae_server import oip
from dlae_server.serving.volumes import LEAST_BYTES
from tests.dlae_server.processes import ServerProcess, eventually, reason_of

EXAMPLES = int(os.environ.get("DLAE_FUZZ_EXAMPLES", "60"))
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
REFUSED = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}
REASONS = {"INVALID_TENSOR", "INVALID_IMAGE", "INVALID_STREAM", "INVALID_REQUEST"}
REASONS |= {"TENSOR_TOO_LARGE", "QUEUE_FULL"}
SPACE = (8, 8, 1)

# Claims of nothing, of less than nothing, of 2 GiB and of more than there can be.
AXES = st.sampled_from([0, 1, 2, 3, 8, -1, -(1 << 63), 1 << 31, 1 << 62, (1 << 63) - 1])
SHAPES = st.one_of(
    st.tuples(st.integers(0, 5), *map(st.just, SPACE)).map(list),
    st.lists(AXES, max_size=5),
    st.just([1] * 40),
)
NUMBERS = st.sampled_from([*DATA_TYPES, 0, 99])


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """The name of a trained model."""
    server.trained("fuzzed")
    server.prediction.Predict(_request("fuzzed", np.ones((1, *SPACE), np.float32)))
    return "fuzzed"


@pytest.fixture(autouse=True)
def _unharmed(server: ServerProcess, model: str) -> Iterator[None]:
    """Compares what the server holds, and what it answers, before and after a test."""
    before = _handles(server)
    yield
    assert server.process.poll() is None
    eventually(lambda: _handles(server) <= before)
    images = np.arange(64, dtype=np.int16).reshape(1, *SPACE)
    output = array_from_tensor(server.prediction.Predict(_request(model, images)).output)
    np.testing.assert_array_equal(output, images.astype(np.float32) * 2)


@FUZZ
@given(number=NUMBERS, shape=SHAPES, excess=st.sampled_from([0, 0, 0, -1, 1]), data=st.data())
def test_a_made_up_tensor_is_answered_or_refused(
    server: ServerProcess, model: str, number: int, shape: list[int], excess: int, data: Any
) -> None:
    content = data.draw(_content(number, shape, excess))
    tensor = Tensor(data_type=number, shape=shape, data=content)
    try:
        answer = server.prediction.Predict(pb.PredictRequest(model=model, input=tensor))
    except grpc.RpcError as error:
        _require_refused(error)
        assert not _is_good(number, shape, content)
        return
    _require_doubled(array_from_tensor(answer.output), number, shape, content)


@FUZZ
@given(
    number=NUMBERS,
    shape=SHAPES,
    order=st.none() | st.lists(st.sampled_from("hcccx"), max_size=6),
    data=st.data(),
)
def test_made_up_chunks_are_answered_or_refused(
    server: ServerProcess, model: str, number: int, shape: list[int], order: Any, data: Any
) -> None:
    # Without an order: the header, then all bytes, cut anywhere. Else headers (h) and chunks (c)
    # of any order and number, missing, repeated or empty, until the caller gives up (x) or stops.
    content = data.draw(_content(number, shape, 0))
    header = pb.PredictStreamRequest(header=_header(model, number, shape))
    chunks = [pb.PredictStreamRequest(data=part) for part in data.draw(_cut(content))]
    letters = "h" + "c" * len(chunks) if order is None else "".join(order)
    queue = iter(chunks)
    messages = [
        header if letter == "h" else next(queue, pb.PredictStreamRequest(data=content[:9]))
        for letter in letters.partition("x")[0]
    ]
    call = server.prediction.PredictStream(iter(messages))
    if "x" in letters:
        call.cancel()
    try:
        first, *parts = call
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.CANCELLED or "x" not in letters:
            _require_refused(error)
        assert not (order is None and _is_good(number, shape, content))
        return
    output, joined = first.header.output, b"".join(part.data for part in parts)
    found = array_from_bytes(joined, output.data_type, output.shape)
    sent = b"".join(message.data for message in messages)
    _require_doubled(found, number, shape, sent)


@settings(FUZZ, max_examples=max(EXAMPLES // 6, 1))
@given(
    sizes=st.lists(st.sampled_from([0, 1, 1 << 10, (1 << 20) - 1, 1 << 20]), max_size=20),
    claimed=st.sampled_from([LEAST_BYTES, LEAST_BYTES + 4, 1 << 31, (4 << 30) + 4]),
    gives_up=st.booleans(),
)
def test_a_volume_that_never_comes_whole_leaves_nothing(
    server: ServerProcess, model: str, sizes: list[int], claimed: int, gives_up: bool
) -> None:
    shape = [1, claimed // 4, 1, 1]
    chunks = [pb.PredictStreamRequest(data=bytes(size)) for size in sizes]
    header = pb.PredictStreamRequest(header=_header(model, 11, shape))
    call = server.prediction.PredictStream(iter([header, *chunks]))
    if gives_up:
        call.cancel()
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    if not (gives_up and caught.value.code() == grpc.StatusCode.CANCELLED):
        _require_refused(caught.value)


@FUZZ
@given(
    datatype=st.sampled_from([*oip.DATATYPES, "BYTES", "BF16", ""]),
    shape=SHAPES,
    contents=st.dictionaries(
        st.sampled_from([*sorted(set(oip.CONTENTS.values())), "bytes_contents"]),
        st.sampled_from([0, 1, 8, 64, 128]),
        max_size=2,
    ),
    raw=st.lists(st.sampled_from([b"\0", b"\xff", b"\0short"]), max_size=2),
)
def test_a_made_up_request_of_the_open_protocol_is_answered_or_refused(
    server: ServerProcess,
    model: str,
    datatype: str,
    shape: list[int],
    contents: dict[str, int],
    raw: list[bytes],
) -> None:
    tensor: dict[str, Any] = {"name": "input", "datatype": datatype, "shape": shape}
    if contents:
        one = {"bool_contents": True, "bytes_contents": b"a"}
        tensor["contents"] = {name: [one.get(name, 7)] * n for name, n in contents.items()}
    size = _size(np.dtype(oip.DATATYPES.get(datatype, "|u1")), shape) or 8
    request, response = oip.methods()["ModelInfer"]
    ask = server.channel.unary_unary(
        f"/{oip.SERVICE}/ModelInfer", request.SerializeToString, response.FromString
    )
    parts = [one[:1] * (size - len(one) + 1) for one in raw]
    try:
        answer = ask(request(model_name=model, inputs=[tensor], raw_input_contents=parts))
    except grpc.RpcError as error:
        _require_refused(error)
        return
    assert list(answer.outputs[0].shape) == shape
    assert len(answer.raw_output_contents[0]) == 4 * math.prod(shape)


@FUZZ
@given(
    datatype=st.sampled_from([*oip.DATATYPES, "BYTES"]),
    shape=SHAPES,
    sizes=st.tuples(
        st.sampled_from([None, 0, 64, 256, 1 << 31, -1]), st.sampled_from([0, 63, 64, 256])
    ),
    end=st.sampled_from([None, 0, 5, 1 << 31, "x"]),
)
def test_a_made_up_body_is_answered_or_refused(
    server: ServerProcess,
    model: str,
    datatype: str,
    shape: list[int],
    sizes: tuple[int | None, int],
    end: object,
) -> None:
    claimed, sent = sizes
    tensor: dict[str, Any] = {"name": "input", "datatype": datatype, "shape": shape}
    if claimed is not None:
        tensor["parameters"] = {"binary_data_size": claimed}
    text = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text) if end is None else end)}
    connection = http.client.HTTPConnection(server.facts["rest"], timeout=10)
    try:
        connection.request("POST", f"/v2/models/{model}/infer", text + bytes(sent), headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        assert answer.status in (400, 413, 429), body
        assert json.loads(body)["reason"] in REASONS, body


def _request(model: str, images: np.ndarray) -> pb.PredictRequest:
    return pb.PredictRequest(model=model, input=tensor_from_array(images))


def _header(model: str, number: int, shape: list[int]) -> pb.PredictStreamHeader:
    return pb.PredictStreamHeader(model=model, input=TensorHeader(data_type=number, shape=shape))


def _handles(server: ServerProcess) -> int:
    return len(os.listdir(Path(f"/proc/{server.process.pid}/fd")))


def _size(dtype: np.dtype, shape: list[int]) -> int | None:
    """Returns the bytes of an array; None where there can be none that a test may send."""
    if any(length < 0 for length in shape) or len(shape) > 8:
        return None
    size = math.prod(shape) * dtype.itemsize
    return size if size <= 1 << 16 else None


def _content(number: int, shape: list[int], excess: int) -> st.SearchStrategy[bytes]:
    """Returns bytes as a shape says, more or less; of zeros, of NaN where there is one, or few."""
    size = _size(DATA_TYPES.get(number, np.dtype("u1")), shape)
    size = 16 if size is None else max(size + excess, 0)
    return st.sampled_from([bytes(size), b"\x01" * size, b"\xff" * size])


@st.composite
def _cut(draw: Callable[..., Any], content: bytes) -> list[bytes]:
    """Returns bytes cut into at most six parts, some of them empty."""
    places = sorted(draw(st.lists(st.integers(0, len(content)), max_size=5)))
    return [content[a:b] for a, b in zip([0, *places], [*places, len(content)], strict=True)]


def _is_good(number: int, shape: list[int], content: bytes) -> bool:
    """Returns whether these are images that the model has to take."""
    if number not in DATA_TYPES or _size(DATA_TYPES[number], shape) != len(content):
        return False
    values = np.frombuffer(content, DATA_TYPES[number])
    return len(shape) == 4 and shape[1:] == list(SPACE) and not np.isnan(values).any()


def _require_doubled(found: np.ndarray, number: int, shape: list[int], content: bytes) -> None:
    with np.errstate(all="ignore"):
        images = np.frombuffer(content, DATA_TYPES[number]).reshape(shape).astype(np.float32)
        np.testing.assert_array_equal(found, images * 2)


def _require_refused(error: grpc.RpcError) -> None:
    assert error.code() in REFUSED, error
    assert reason_of(error) in REASONS, error
