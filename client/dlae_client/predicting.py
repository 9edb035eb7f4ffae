"""Predictions: small batches in one message, large ones in chunks."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from dlae.arrays import array_from_bytes, array_from_tensor, bytes_from_array, header_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.tensor_pb2 import Tensor, TensorHeader
from dlae_client.channel import Connection
from dlae_client.errors import DataLost, InvalidRequest

Array = NDArray[Any]

PREDICT_SECONDS = 600.0
UNARY_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20


def predict(connection: Connection, model: str, images: Array, labels: bool) -> Array:
    """Returns a model's output for a batch of raw images.

    Raises:
        ClientError: The call failed, the images are no numbers, or the answer is no array.
    """
    kind = pb.OUTPUT_KIND_LABELS if labels else pb.OUTPUT_KIND_UNSPECIFIED
    try:
        header = header_from_array(images)
    except TypeError as error:
        raise InvalidRequest(str(error), "INVALID_TENSOR") from error
    stub = connection.stub(PredictionServiceStub)
    try:
        if images.nbytes < UNARY_BYTES:
            data = bytes_from_array(images).tobytes()
            tensor = Tensor(data_type=header.data_type, shape=header.shape, data=data)
            request = pb.PredictRequest(model=model, input=tensor, output_kind=kind)
            answer = connection.call(stub.Predict, request, PREDICT_SECONDS)
            return array_from_tensor(answer.output)
        start = pb.PredictStreamHeader(model=model, input=header, output_kind=kind)
        with connection.errors():
            parts = stub.PredictStream(_requests(start, images), timeout=PREDICT_SECONDS)
            output, joined = _joined(parts)
        return array_from_bytes(joined, output.data_type, output.shape)
    except ValueError as error:
        raise DataLost(f"the server's answer is no array: {error}", "INVALID_TENSOR") from error


def _requests(header: pb.PredictStreamHeader, images: Array) -> Iterator[pb.PredictStreamRequest]:
    yield pb.PredictStreamRequest(header=header)
    data = bytes_from_array(images)
    for start in range(0, len(data), CHUNK_BYTES):
        yield pb.PredictStreamRequest(data=data[start : start + CHUNK_BYTES].tobytes())


def _joined(parts: Iterator[pb.PredictStreamResponse]) -> tuple[TensorHeader, bytearray]:
    """Returns an answer's header and bytes."""
    output, data = TensorHeader(), bytearray()
    for part in parts:
        if part.HasField("header"):
            output = part.header.output
        else:
            data += part.data
    return output, data
