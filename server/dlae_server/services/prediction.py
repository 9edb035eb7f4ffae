"""`PredictionService`: applies models to single tensors and to streams of chunks."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import TypeAlias

import grpc

from dlae.arrays import DATA_TYPES, byte_count
from dlae.v1 import prediction_pb2 as pb
from dlae.v1 import tensor_pb2
from dlae.v1.prediction_pb2_grpc import PredictionServiceServicer
from dlae_core.errors import InvalidTensor
from dlae_core.prediction.options import check
from dlae_server.allocation import give_back
from dlae_server.audit.predictions import want_proof
from dlae_server.errors import InvalidRequest, InvalidStream, TensorTooLarge
from dlae_server.services.predicting import Predictions
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.memory import PART_BYTES
from dlae_server.serving.volumes import LEAST_BYTES, Images, Shelf, Volume
from dlae_server.settings import Settings

# After more than that it is worth giving freed memory back.
LARGE_BYTES = 64 << 20
LARGEST_RANK = 32
# In elements, empty axes left out: NumPy counts so where it judges whether a shape can be.
LARGEST_SIZE = 1 << 56
_KINDS = frozenset(pb.OutputKind.values())
_PRIORITIES = frozenset(pb.Priority.values())
NUMBERS = {dtype.str: number for number, dtype in DATA_TYPES.items()}

Context: TypeAlias = grpc.aio.ServicerContext


class PredictionService(PredictionServiceServicer):  # type: ignore[misc]
    """Converts between the contract and the host."""

    def __init__(self, settings: Settings, predictions: Predictions) -> None:
        self._settings = settings
        self._predictions = predictions
        self._shelf = Shelf(settings.volumes_bytes)

    async def Predict(self, request: pb.PredictRequest, context: Context) -> pb.PredictResponse:
        """Predicts one tensor."""
        tensor, data = request.input, request.input.data
        question = _question(tensor, request)
        if len(data) != question.size:
            raise InvalidTensor(
                f"expected {question.size} bytes for the shape {question.shape}, got {len(data)}"
            )
        entry, answer = await self._predictions.predict(
            request.model, question, (data,), _is_urgent(request)
        )
        # A message of its own would have its bytes copied once more.
        number = NUMBERS[answer.dtype]
        return pb.PredictResponse(
            model=entry.reference,
            output={"data_type": number, "shape": answer.shape, "data": answer.data},
            model_sha256=self._predictions.sha256(entry),
            description=_description(answer),
        )

    async def PredictStream(
        self, requests: AsyncIterator[pb.PredictStreamRequest], context: Context
    ) -> AsyncIterator[pb.PredictStreamResponse]:
        """Predicts one tensor that comes, and goes, in chunks."""
        size = 0
        try:
            with ExitStack() as stack:
                asked, question, images = await self._collected(requests, stack)
                entry, answer = await self._predictions.predict(
                    asked.model, question, images, _is_urgent(asked)
                )
                size = max(question.size, answer.size, len(answer.parts) * PART_BYTES)
                del images
                result = pb.PredictStreamResult(
                    model=entry.reference,
                    output=_header(answer),
                    model_sha256=self._predictions.sha256(entry),
                    description=_description(answer),
                )
                yield pb.PredictStreamResponse(header=result)
                for part in answer.taken():
                    yield pb.PredictStreamResponse(data=part)
        finally:
            if size > LARGE_BYTES:
                asyncio.get_running_loop().run_in_executor(None, give_back)

    async def _collected(
        self, requests: AsyncIterator[pb.PredictStreamRequest], stack: ExitStack
    ) -> tuple[pb.PredictStreamHeader, Question, Images]:
        """Returns the header of a chunked request, the same for the host, and the images.

        Raises:
            InvalidStream: The chunks are no tensor.
            TensorTooLarge: It is larger than the server takes.
            QueueFull: Other large tensors leave no room for it.
        """
        header = await anext(aiter(requests), None)
        if header is None or header.WhichOneof("part") != "header":
            raise InvalidStream("expected one header, then chunks of data")
        asked = header.header
        question = _question(asked.input, asked)
        if question.size > self._settings.tensor_bytes:
            raise TensorTooLarge(question.size, self._settings.tensor_bytes)
        images: list[bytes] | Volume = []
        if question.size >= LEAST_BYTES:
            images = stack.enter_context(self._shelf.volume(question.size))
        count = 0
        async for request in requests:
            if request.WhichOneof("part") == "header":
                raise InvalidStream("expected one header, then chunks of data")
            count += len(request.data)
            if count > question.size:
                break
            images.append(request.data)
        if count != question.size:
            raise InvalidStream(f"expected {question.size} bytes in all chunks, got {count}")
        return asked, question, images


def _question(
    tensor: tensor_pb2.Tensor | tensor_pb2.TensorHeader,
    asked: pb.PredictRequest | pb.PredictStreamHeader,
) -> Question:
    """Returns what is asked, of a tensor whose shape an array can have."""
    shape = tuple(tensor.shape)
    if len(shape) > LARGEST_RANK or math.prod(axis or 1 for axis in shape) > LARGEST_SIZE:
        raise InvalidTensor(f"expected the shape of an array, got {shape[:8]}")
    try:
        size = byte_count(tensor.data_type, shape)
    except ValueError as error:
        raise InvalidTensor(str(error)) from error
    if asked.output_kind not in _KINDS:
        raise InvalidRequest(f"expected a known kind of output, got {asked.output_kind}")
    if asked.priority not in _PRIORITIES:
        raise InvalidRequest(f"expected a known priority, got {asked.priority}")
    if asked.provenance:
        want_proof()
    dtype = DATA_TYPES[tensor.data_type].str
    return Question(dtype, shape, size, asked.output_kind, _options(asked), asked.describe)


def _options(asked: pb.PredictRequest | pb.PredictStreamHeader) -> bytes:
    """Returns the options as a model's process takes them, short and equal where they mean it."""
    if not asked.HasField("options"):
        return b""
    check(asked.options)
    asked.options.DiscardUnknownFields()
    return asked.options.SerializeToString(deterministic=True)


def _is_urgent(asked: pb.PredictRequest | pb.PredictStreamHeader) -> bool:
    return asked.priority != pb.PRIORITY_BATCH


def _description(answer: Answer) -> pb.Description | None:
    return pb.Description.FromString(answer.description) if answer.description else None


def _header(answer: Answer) -> tensor_pb2.TensorHeader:
    return tensor_pb2.TensorHeader(data_type=NUMBERS[answer.dtype], shape=answer.shape)
