"""Requests that a server answers, to begin from."""

import hashlib
import io
import zlib

import h5py
import numpy as np
from google.protobuf.message import Message

from dlae.arrays import tensor_from_array
from dlae.v1 import datasets_pb2 as data
from dlae.v1 import models_pb2 as models
from dlae.v1 import prediction_pb2 as prediction
from dlae.v1 import training_pb2 as training
from dlae.v1.tensor_pb2 import DATA_TYPE_UINT8, TensorHeader
from dlae_server import oip

IMAGES = np.arange(64, dtype=np.int16).reshape(1, 8, 8, 1)


def samples(value: int) -> bytes:
    """Returns a file of two samples, uint8 (4,)."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name in "01":
            file[name] = np.full(4, value, np.uint8)
    return buffer.getvalue()


def requests_of(source: training.ConfigSource, job_id: str, file: str) -> dict[str, list[Message]]:
    """Returns requests by method, those of a stream in order.

    Args:
        source: A configuration that the server accepts.
        job_id: A job that has ended.
        file: A data file of the server's.
    """
    return {
        "Validate": [training.ValidateRequest(config=source)],
        "Train": [training.TrainRequest(config=source, name="m")],
        "Run": [training.RunRequest(config=source)],
        **{
            name: [getattr(training, f"{name}Request")(job_id=job_id)]
            for name in ("Status", "Watch", "Cancel", "Pause", "Resume", "Logs", "FetchResult")
        },
        "ListJobs": [training.ListJobsRequest(page_size=3)],
        "Predict": [prediction.PredictRequest(model="m", input=tensor_from_array(IMAGES))],
        "PredictStream": _streamed(),
        **{
            name: [getattr(models, f"{name}Request")(model="m")]
            for name in ("GetModel", "FetchModel", "GetModelCard")
        },
        "SetAlias": [models.SetAliasRequest(model="m@1", alias="best")],
        "ImportModel": _imported(source.json),
        "FindFiles": [data.FindFilesRequest(files=[data.LocalFile(path=file, size_bytes=1)])],
        "UploadDataset": _uploaded(samples(1)),
        "GetDataset": [data.GetDatasetRequest(dataset="d")],
        **{
            name: [oip.message(f"{name}Request")(name="m")]
            for name in ("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics")
        },
        "ModelInfer": [_inferred()],
    }


def _streamed() -> list[Message]:
    header = prediction.PredictStreamHeader(
        model="m", input=TensorHeader(data_type=DATA_TYPE_UINT8, shape=[1, 8, 8, 1])
    )
    make = prediction.PredictStreamRequest
    return [make(header=header), make(data=bytes(40)), make(data=bytes(24))]


def _imported(config: str) -> list[Message]:
    # One byte of it is another: the network is for the tests of files.
    content = samples(2)
    sha256 = hashlib.sha256(content).hexdigest()
    header = models.ImportModelHeader(
        name="imported", config_json=config, format="h5", size_bytes=len(content), sha256=sha256
    )
    make = models.ImportModelRequest
    return [make(header=header), make(data=content[:500]), make(data=content[500:-1] + b"!")]


def _uploaded(content: bytes) -> list[Message]:
    sha256 = hashlib.sha256(content).hexdigest()
    header = data.StartUploadRequest(sha256=sha256, size_bytes=len(content), name="d")
    make = data.UploadDatasetRequest
    pieces = [
        data.DatasetPiece(offset=at, data=content[at : at + 1000], crc32=zlib.crc32(part))
        for at in range(0, len(content), 1000)
        for part in [content[at : at + 1000]]
    ]
    return [make(header=header), *(make(piece=piece) for piece in pieces)]


def _inferred() -> Message:
    request: Message = oip.message("ModelInferRequest")(
        model_name="m", raw_input_contents=[IMAGES.tobytes()]
    )
    tensor = request.inputs.add()  # type: ignore[attr-defined]
    tensor.name, tensor.datatype = "input", "INT16"
    tensor.shape.extend(IMAGES.shape)
    return request
