"""Predictions: small batches in one message, large ones in chunks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.arrays import array_from_bytes, array_from_tensor, bytes_from_array, header_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.tensor_pb2 import TensorHeader
from dlae_client.channel import Connection
from dlae_client.errors import DataLost, InvalidRequest
from dlae_client.predictions import Asked

Array = NDArray[Any]

PREDICT_SECONDS = 600.0
UNARY_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
KINDS = {
    "": pb.OUTPUT_KIND_UNSPECIFIED,
    "labels": pb.OUTPUT_KIND_LABELS,
    "boxes": pb.OUTPUT_KIND_BOXES,
    "output": pb.OUTPUT_KIND_OUTPUT,
}


@dataclass(frozen=True)
class Reply:
    """What the server answered.

    Attributes:
        output: float32 (batch, ...), or labels, or boxes (batch, most, 6).
        model: Model that predicted, as `name@version`.
        sha256: SHA-256 of the model's manifest.
        description: What was done, where asked for.
    """

    output: Array
    model: str
    sha256: str
    description: pb.Description | None

    def boxes(self) -> list[Array]:
        """Returns the boxes of each image, float32 (boxes, 6), without the rows after them."""
        return [rows[: int(np.count_nonzero(rows[:, 0]))] for rows in self.output]


def predict(connection: Connection, model: str, images: Array, asked: Asked) -> Reply:
    """Returns what a model makes of a batch of raw images.

    Raises:
        ClientError: The call failed, the images are no numbers, or the answer is no array.
    """
    try:
        header = header_from_array(images)
    except TypeError as error:
        raise InvalidRequest(str(error), "INVALID_TENSOR") from error
    fields = _fields(asked)
    stub = connection.stub(PredictionServiceStub)
    try:
        if images.nbytes < UNARY_BYTES:
            # A message of its own would have its bytes copied once more.
            tensor = {"data_type": header.data_type, "shape": header.shape}
            tensor["data"] = bytes_from_array(images).tobytes()
            request = pb.PredictRequest(model=model, input=tensor, **fields)
            answer = connection.call(stub.Predict, request, PREDICT_SECONDS)
            return _reply(answer, array_from_tensor(answer.output))
        start = pb.PredictStreamHeader(model=model, input=header, **fields)
        with connection.errors():
            parts = stub.PredictStream(_requests(start, images), timeout=PREDICT_SECONDS)
            result, joined = _joined(parts)
        output: TensorHeader = result.output
        return _reply(result, array_from_bytes(joined, output.data_type, output.shape))
    except ValueError as error:
        raise DataLost(f"the server's answer is no array: {error}", "INVALID_TENSOR") from error


def _fields(asked: Asked) -> dict[str, Any]:
    """Returns what the requests of both methods hold besides model and images."""
    if asked.kind not in KINDS:
        known = ", ".join(filter(None, KINDS))
        raise InvalidRequest(f"expected one of {known}, got '{asked.kind}'", "INVALID_REQUEST")
    return {
        "output_kind": KINDS[asked.kind],
        "options": options_message(asked.options) if asked.options else None,
        "priority": pb.PRIORITY_BATCH if asked.can_wait else pb.PRIORITY_UNSPECIFIED,
        "describe": asked.describe,
        "provenance": asked.provenance,
    }


def options_message(options: Mapping[str, Any]) -> pb.PredictOptions:
    """Returns options as a message.

    Args:
        options: By the names of `Asked.options`; None where that means that there is none.

    Raises:
        InvalidRequest: There is no such option, or it has other values.
    """
    message = pb.PredictOptions()
    for name, value in options.items():
        try:
            if name == "flips":
                message.flips.SetInParent()
                message.flips.axes.extend(value or ())
            elif name == "threshold" and value is None:
                message.most_probable = True
            else:
                setattr(message, name, value)
        except (AttributeError, TypeError, ValueError) as error:
            sentence = f"expected an option of a prediction, got {name}={value!r:.40}: {error}"
            raise InvalidRequest(sentence, "INVALID_OPTIONS") from error
    return message


def _reply(answer: pb.PredictResponse | pb.PredictStreamResult, output: Array) -> Reply:
    described = answer.description if answer.HasField("description") else None
    return Reply(output, answer.model, answer.model_sha256, described)


def _requests(header: pb.PredictStreamHeader, images: Array) -> Iterator[pb.PredictStreamRequest]:
    yield pb.PredictStreamRequest(header=header)
    data = bytes_from_array(images)
    for start in range(0, len(data), CHUNK_BYTES):
        yield pb.PredictStreamRequest(data=data[start : start + CHUNK_BYTES].tobytes())


def _joined(
    parts: Iterator[pb.PredictStreamResponse],
) -> tuple[pb.PredictStreamResult, bytearray]:
    """Returns an answer's header and bytes."""
    result, data = pb.PredictStreamResult(), bytearray()
    for part in parts:
        if part.HasField("header"):
            result = part.header
        else:
            data += part.data
    return result, data
