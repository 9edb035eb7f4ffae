"""A DLAE server in memory: it speaks the contract, trains nothing and predicts the double."""

import hashlib
import json
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import numpy as np

from dlae.arrays import array_from_bytes, array_from_tensor, header_from_array, tensor_from_array
from dlae.v1 import models_pb2, models_pb2_grpc, prediction_pb2, prediction_pb2_grpc
from dlae.v1.training_pb2_grpc import add_TrainingServiceServicer_to_server
from tests.dlae_client.fake_jobs import NOT_FOUND, FakeTraining, abort

FILES = {
    "checkpoint-0001.keras": b"weights and state",
    "config.json": b"{}",
    "events.out.tfevents.dlae": b"scalars",
    "history.csv": b"epoch,loss\n1,0.5\n",
    "model.keras": bytes(range(256)) * 9000,
}
CHUNK_BYTES = 1 << 20
SHA256 = "ab" * 32
DESCRIPTION = prediction_pb2.Description(
    output_kind=prediction_pb2.OUTPUT_KIND_LABELS,
    preprocessing=["scale 0..255 to 0..1"],
    postprocessing=["most probable class", "holes of each class filled"],
    engine="openvino",
    precision="float32",
    tiles=4,
    mirror_images=1,
)


class FakePrediction(prediction_pb2_grpc.PredictionServiceServicer):
    """Doubles images; labels are 1 where an image is above 0; image number n has n % 3 boxes.

    Attributes:
        calls: Method, model and shape of every call.
        chunks: Sizes of the chunks of the latest stream.
        asked: Output, options and priority of every call.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, tuple[int, ...]]] = []
        self.chunks: list[int] = []
        self.asked: list[tuple[int, prediction_pb2.PredictOptions, int]] = []

    def Predict(
        self, request: prediction_pb2.PredictRequest, context: Any
    ) -> prediction_pb2.PredictResponse:
        """Predicts a batch."""
        images = array_from_tensor(request.input)
        self.calls.append(("Predict", request.model, images.shape))
        self._note(request)
        output = tensor_from_array(_output(images, request.output_kind))
        return prediction_pb2.PredictResponse(
            model=request.model,
            output=output,
            model_sha256=SHA256,
            description=DESCRIPTION if request.describe else None,
        )

    def PredictStream(
        self, requests: Iterator[prediction_pb2.PredictStreamRequest], context: Any
    ) -> Iterator[prediction_pb2.PredictStreamResponse]:
        """Predicts a batch in chunks."""
        header = next(requests).header
        chunks = [request.data for request in requests]
        self.chunks = [len(chunk) for chunk in chunks]
        images = array_from_bytes(b"".join(chunks), header.input.data_type, header.input.shape)
        self.calls.append(("PredictStream", header.model, images.shape))
        self._note(header)
        output = _output(images, header.output_kind)
        result = prediction_pb2.PredictStreamResult(
            model=header.model,
            output=header_from_array(output),
            model_sha256=SHA256,
            description=DESCRIPTION if header.describe else None,
        )
        yield prediction_pb2.PredictStreamResponse(header=result)
        data = tensor_from_array(output).data
        for start in range(0, len(data), CHUNK_BYTES):
            part = data[start : start + CHUNK_BYTES]
            yield prediction_pb2.PredictStreamResponse(data=part)

    def _note(self, asked: Any) -> None:
        self.asked.append((asked.output_kind, asked.options, asked.priority))


def _output(images: Any, kind: int) -> Any:
    if kind == prediction_pb2.OUTPUT_KIND_BOXES:
        boxes = np.zeros((len(images), 3, 6), np.float32)
        for number, rows in enumerate(boxes):
            rows[: number % 3] = (1, 0.75, 1, 2, 5, 6)
        return boxes
    if kind == prediction_pb2.OUTPUT_KIND_LABELS:
        return (images > 0).astype(np.uint8)
    return (2 * images).astype(np.float32)


class FakeModels(models_pb2_grpc.ModelServiceServicer):
    """The model `tissue`, versions 1 and 2, with the same files.

    Attributes:
        sent: Content of the files as it is sent; checksums are those of `FILES`.
        sent_as: Other names that files are sent under.
        breaks: Chunks after which the next calls break off.
        asked: File and offset of every call.
        family: Kind of model that both are.
    """

    def __init__(self) -> None:
        self.sent = dict(FILES)
        self.sent_as: dict[str, str] = {}
        self.breaks: list[int] = []
        self.asked: list[tuple[str, int]] = []
        self.family = "FCN"

    def ListModels(
        self, request: models_pb2.ListModelsRequest, context: Any
    ) -> models_pb2.ListModelsResponse:
        """Returns the two versions, one to a page."""
        version = int(request.page_token or 2)
        token = "1" if version == 2 else ""
        return models_pb2.ListModelsResponse(models=[_model(version)], next_page_token=token)

    def GetModel(
        self, request: models_pb2.GetModelRequest, context: Any
    ) -> models_pb2.GetModelResponse:
        """Returns a version, by default the second."""
        found = _found(request.model, context)
        found.family = self.family
        return models_pb2.GetModelResponse(model=found)

    def FetchModel(
        self, request: models_pb2.FetchModelRequest, context: Any
    ) -> Iterator[models_pb2.FetchModelResponse]:
        """Streams one file in chunks."""
        _found(request.model, context)
        self.asked.append((request.file, request.offset))
        content = self.sent.get(request.file, b"")
        name = self.sent_as.get(request.file, request.file)
        left = self.breaks.pop(0) if self.breaks else 1 << 30
        for start in range(request.offset, len(content), CHUNK_BYTES):
            if not left:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            data = content[start : start + CHUNK_BYTES]
            yield models_pb2.FetchModelResponse(file=name, offset=start, data=data)
            left -= 1


def _found(reference: str, context: Any) -> models_pb2.Model:
    name, _, version = reference.partition("@")
    if name != "tissue":
        abort(context, (NOT_FOUND, "MODEL_NOT_FOUND", f"there is no model '{reference}'"))
    return _model(int(version or 2))


def _model(version: int) -> models_pb2.Model:
    files = [
        models_pb2.ModelFile(
            name=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        for name, content in FILES.items()
    ]
    return models_pb2.Model(
        name="tissue",
        version=version,
        job_id="tissue-0",
        family="FCN",
        input_shape=[8, 8, 1],
        output_shape=[8, 8, 2],
        classes=2,
        parameters=130,
        metrics={"loss": 0.41},
        files=files,
    )


class Carried(grpc.ServerInterceptor):
    """What calls carry besides their message.

    Attributes:
        calls: Token and project of every call, empty where there is none.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Notes it."""
        found = dict(details.invocation_metadata)
        token = found.get("authorization", "").removeprefix("Bearer ")
        self.calls.append((token, found.get("dlae-project", "")))
        return continuation(details)


class FakeServer:
    """The three services on a free port, stopped and started at will with what they hold.

    Attributes:
        address: `host:port`.
        training: Jobs.
        prediction: Predictions.
        models: Models.
        carried: Tokens and projects of calls.
    """

    def __init__(self) -> None:
        self.training, self.prediction = FakeTraining(), FakePrediction()
        self.models, self.carried = FakeModels(), Carried()
        self.address = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        """Starts, on the old port where there was one."""
        self._server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[self.carried])
        add_TrainingServiceServicer_to_server(self.training, self._server)
        prediction_pb2_grpc.add_PredictionServiceServicer_to_server(self.prediction, self._server)
        models_pb2_grpc.add_ModelServiceServicer_to_server(self.models, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port(self.address)}"
        self._server.start()

    def stop(self) -> None:
        """Stops at once; calls under way break."""
        self._server.stop(0).wait()


def config_text(**sections: Any) -> str:
    """Returns the text of a small configuration with relative paths."""
    return json.dumps({"paths": {"train_X": "X.h5", "train_y": ""}, **sections})
