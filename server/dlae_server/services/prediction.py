"""`PredictionService`: applies models to single tensors and to streams of chunks."""

import math
import time
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import numpy as np

from dlae.arrays import DATA_TYPES, byte_count
from dlae.v1 import prediction_pb2 as pb
from dlae.v1 import tensor_pb2
from dlae.v1.prediction_pb2_grpc import PredictionServiceServicer
from dlae_core.errors import DlaeError, InvalidTensor
from dlae_server.errors import InvalidRequest, InvalidStream, TensorTooLarge
from dlae_server.metrics import Metrics
from dlae_server.services.models import ModelService
from dlae_server.serving.host import Answer, Host
from dlae_server.settings import Settings
from dlae_server.status import code_of

CHUNK_BYTES = 1 << 20
LARGEST_RANK = 32
# In elements, empty axes left out: NumPy counts so where it judges whether a shape can be.
LARGEST_SIZE = 1 << 56
NUMBERS = {dtype: number for number, dtype in DATA_TYPES.items()}

Context: TypeAlias = grpc.aio.ServicerContext


class PredictionService(PredictionServiceServicer):  # type: ignore[misc]
    """Converts between the contract and the host."""

    def __init__(
        self, settings: Settings, models: ModelService, host: Host, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._models = models
        self._host = host
        self._metrics = metrics

    async def Predict(self, request: pb.PredictRequest, context: Context) -> pb.PredictResponse:
        """Predicts one tensor."""
        tensor = request.input
        header = tensor_pb2.TensorHeader(data_type=tensor.data_type, shape=tensor.shape)
        if len(tensor.data) != _size(header):
            raise InvalidTensor(
                f"expected {_size(header)} bytes for the shape {tuple(tensor.shape)}, got "
                f"{len(tensor.data)}"
            )
        asked = pb.PredictStreamHeader(
            model=request.model, input=header, output_kind=request.output_kind
        )
        model, answer = await self._predict(asked, tensor.data)
        header = _header(answer)
        output = tensor_pb2.Tensor(data_type=header.data_type, shape=header.shape, data=answer.data)
        return pb.PredictResponse(model=model, output=output)

    async def PredictStream(
        self, requests: AsyncIterator[pb.PredictStreamRequest], context: Context
    ) -> AsyncIterator[pb.PredictStreamResponse]:
        """Predicts one tensor that comes, and goes, in chunks."""
        asked, data = await self._collected(requests)
        model, answer = await self._predict(asked, data)
        result = pb.PredictStreamResult(model=model, output=_header(answer))
        yield pb.PredictStreamResponse(header=result)
        view = memoryview(answer.data)
        for start in range(0, len(view), CHUNK_BYTES):
            yield pb.PredictStreamResponse(data=bytes(view[start : start + CHUNK_BYTES]))

    async def _predict(
        self, asked: pb.PredictStreamHeader, data: bytes | bytearray
    ) -> tuple[str, Answer]:
        """Returns the model as `name@version` and its answer."""
        if asked.output_kind not in pb.OutputKind.values():
            raise InvalidRequest(f"expected a known kind of output, got {asked.output_kind}")
        model = await self._models.model(asked.model)
        reference = f"{model.name}@{model.version}"
        header = {
            "dtype": DATA_TYPES[asked.input.data_type].str,
            "shape": list(asked.input.shape),
            "labels": asked.output_kind == pb.OUTPUT_KIND_LABELS,
        }
        start, code = time.monotonic(), grpc.StatusCode.UNKNOWN
        try:
            answer = await self._host.predict(reference, self._models.folder(model), header, data)
            code = grpc.StatusCode.OK
        except DlaeError as error:
            code = code_of(error)
            raise
        finally:
            labels = (model.name, str(model.version), code.name)
            self._metrics.predictions.labels(*labels).inc()
            self._metrics.prediction_seconds.labels(model.name).observe(time.monotonic() - start)
        return reference, answer

    async def _collected(
        self, requests: AsyncIterator[pb.PredictStreamRequest]
    ) -> tuple[pb.PredictStreamHeader, bytearray]:
        """Returns the header and all bytes of a chunked request."""
        header: pb.PredictStreamHeader | None = None
        expected, data = 0, bytearray()
        async for request in requests:
            if (request.WhichOneof("part") == "header") != (header is None):
                raise InvalidStream("expected one header, then chunks of data")
            if header is None:
                header = request.header
                expected = _size(header.input)
                if expected > self._settings.tensor_bytes:
                    raise TensorTooLarge(expected, self._settings.tensor_bytes)
                continue
            data += request.data
            if len(data) > expected:
                break
        if header is None or len(data) != expected:
            raise InvalidStream(f"expected {expected} bytes in all chunks, got {len(data)}")
        return header, data


def _size(header: tensor_pb2.TensorHeader) -> int:
    """Returns the length in bytes of a tensor whose shape an array can have."""
    if (
        len(header.shape) > LARGEST_RANK
        or math.prod(axis or 1 for axis in header.shape) > LARGEST_SIZE
    ):
        raise InvalidTensor(f"expected the shape of an array, got {tuple(header.shape)[:8]}")
    try:
        return byte_count(header.data_type, header.shape)
    except ValueError as error:
        raise InvalidTensor(str(error)) from error


def _header(answer: Answer) -> tensor_pb2.TensorHeader:
    return tensor_pb2.TensorHeader(data_type=NUMBERS[np.dtype(answer.dtype)], shape=answer.shape)
