"""The Open Inference Protocol, version 2: its messages, and what they mean here.

The messages are made from the description that `protoc` wrote of `proto/oip/open_inference.proto`,
in a descriptor pool of its own. A model takes the tensor `input` and gives `output`, `labels` where
it knows classes, and `boxes` first where it is a detector: the same bytes as
`dlae.v1.PredictionService` takes and gives. After a change of the `.proto` file, which a test
demands:

    cd proto/oip
    python -m grpc_tools.protoc -I. open_inference.proto -o open_inference.binpb

and the result beside this file.

Reference: https://github.com/kserve/open-inference-protocol, version 2.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from dlae.v1 import models_pb2, prediction_pb2
from dlae_core.errors import InvalidTensor
from dlae_server.errors import InvalidRequest
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.lane import BATCH_ROWS
from dlae_server.serving.statistics import Statistics

DESCRIPTION = Path(__file__).with_name("open_inference.binpb")
SERVICE = "inference.GRPCInferenceService"
INPUT, OUTPUT, LABELS, BOXES = "input", "output", "labels", "boxes"
# Outputs and what they are in the contract.
KINDS = {
    OUTPUT: prediction_pb2.OUTPUT_KIND_OUTPUT,
    LABELS: prediction_pb2.OUTPUT_KIND_LABELS,
    BOXES: prediction_pb2.OUTPUT_KIND_BOXES,
}
DETECTORS = "BBD"
_BOX_COLUMNS = 6
EXTENSIONS = (
    "model_configuration",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
)

DATATYPES = {
    "BOOL": "|b1",
    "UINT8": "|u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "|i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
NAMES = {dtype: name for name, dtype in DATATYPES.items()}
# Types whose elements may come one by one -> the field that holds them. Not half precision.
CONTENTS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}
LARGEST_RANK = 32
LARGEST_SIZE = 1 << 56

# The classes are made at run time, where no type checker sees them.
Message: TypeAlias = Any


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTION.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = _pool()


def message(name: str) -> Any:
    """Returns the class of a message of the protocol."""
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"inference.{name}"))


def methods() -> dict[str, tuple[Any, Any]]:
    """Returns the classes of request and response of every method of the service."""
    return {
        method.name: (
            message_factory.GetMessageClass(method.input_type),
            message_factory.GetMessageClass(method.output_type),
        )
        for method in POOL.FindServiceByName(SERVICE).methods
    }


def reference(name: str, version: str) -> str:
    """Returns a model's reference, `name` or `name@version`."""
    return f"{name}@{version}" if version else name


def metadata(model: models_pb2.Model) -> Message:
    """Returns what a model takes and gives.

    Images of any other numeric type than the one named are taken too.
    """
    answer = message("ModelMetadataResponse")(
        name=model.name, versions=[str(model.version)], platform="dlae"
    )
    answer.inputs.add(name=INPUT, datatype="FP32", shape=_axes(model.input_shape))
    if model.family == DETECTORS:
        answer.outputs.add(name=BOXES, datatype="FP32", shape=[-1, -1, _BOX_COLUMNS])
    answer.outputs.add(name=OUTPUT, datatype="FP32", shape=_axes(model.output_shape))
    if model.classes:
        datatype = "UINT8" if model.classes <= 256 else "UINT16"
        answer.outputs.add(name=LABELS, datatype=datatype, shape=_axes(model.output_shape[:-1]))
    answer.properties.update(
        family=model.family, classes=str(model.classes), dlae_version=model.dlae_version
    )
    return answer


def configuration(model: models_pb2.Model) -> Message:
    """Returns what a model takes and gives, in the words of Triton's configurations."""
    told = metadata(model)
    config = message("ModelConfig")(
        name=model.name, platform="dlae", backend="dlae", max_batch_size=BATCH_ROWS
    )
    for tensors, one_by_one in ((told.inputs, config.input), (told.outputs, config.output)):
        for tensor in tensors:
            kind = f"TYPE_{tensor.datatype}"
            one_by_one.add(name=tensor.name, data_type=kind, dims=tensor.shape[1:])
    config.dynamic_batching.SetInParent()
    return config


def add_statistics(answer: Message, model: models_pb2.Model, done: Statistics) -> None:
    """Adds what a model has done to an answer."""
    entry = answer.model_stats.add(
        name=model.name,
        version=str(model.version),
        last_inference=int(done.last * 1e3),
        inference_count=done.images,
        execution_count=done.infer.count,
    )
    for name, total in (
        ("success", done.success),
        ("fail", done.fail),
        ("queue", done.queue),
        ("compute_input", done.input),
        ("compute_infer", done.infer),
        ("compute_output", done.output),
    ):
        field = getattr(entry.inference_stats, name)
        field.count, field.ns = total.count, int(total.seconds * 1e9)


def question(request: Message) -> tuple[Question, bytes]:
    """Returns what is asked for, but for the output, and the images' bytes.

    Raises:
        InvalidRequest: There is not exactly the one input, or its elements come in two ways.
        InvalidTensor: Type, shape and elements do not fit.
    """
    names = [tensor.name for tensor in request.inputs]
    if names != [INPUT]:
        raise InvalidRequest(f"expected one input named '{INPUT}', got {names[:8]}")
    tensor = request.inputs[0]
    if tensor.datatype not in DATATYPES:
        known = ", ".join(DATATYPES)
        raise InvalidTensor(f"expected a data type of {known}, got '{tensor.datatype[:20]}'")
    shape = tuple(tensor.shape)
    size = _elements(shape) * np.dtype(DATATYPES[tensor.datatype]).itemsize
    raw = request.raw_input_contents
    data = _raw(tensor, raw) if raw else _typed(tensor)
    if len(data) != size:
        raise InvalidTensor(f"expected {size} bytes for the shape {shape}, got {len(data)}")
    return Question(DATATYPES[tensor.datatype], shape, size), data


def requested(request: Message, model: models_pb2.Model) -> list[str]:
    """Returns the names of the outputs that are asked for, else of the model's first.

    Raises:
        InvalidRequest: One of them does not exist, or is asked for twice.
    """
    known = (BOXES, OUTPUT) if model.family == DETECTORS else (OUTPUT, LABELS)
    names = [tensor.name for tensor in request.outputs] or [known[0]]
    if strange := {name for tensor in request.outputs for name in tensor.parameters}:
        raise InvalidRequest(f"expected no parameters of outputs, got {sorted(strange)[:8]}")
    if len(set(names)) < len(names) or not set(names) <= set(known):
        expected = " and ".join(f"'{name}'" for name in known)
        raise InvalidRequest(f"expected outputs of {expected}, got {names[:8]}")
    return names


def add_output(answer: Message, name: str, output: Answer) -> None:
    """Adds a tensor to an answer, with the place of its record where the audit log has one."""
    tensor = answer.outputs.add(name=name, datatype=NAMES[output.dtype], shape=output.shape)
    answer.raw_output_contents.append(output.data)
    if output.description:
        proof = prediction_pb2.Description.FromString(output.description).provenance
        for field, value in proof.ListFields():
            tensor.parameters[field.name].string_param = value


def _axes(shape: Sequence[int]) -> list[int]:
    """Returns axes as the protocol writes them, with that of the batch."""
    return [-1, *(length or -1 for length in shape)]


def _elements(shape: tuple[int, ...]) -> int:
    if any(length < 0 for length in shape):
        raise InvalidTensor(f"expected axes of length 0 or more, got shape {shape[:8]}")
    if len(shape) > LARGEST_RANK or math.prod(axis or 1 for axis in shape) > LARGEST_SIZE:
        raise InvalidTensor(f"expected the shape of an array, got {shape[:8]}")
    return math.prod(shape)


def _raw(tensor: Message, raw: Sequence[bytes]) -> bytes:
    if len(raw) != 1:
        raise InvalidRequest(f"expected one entry of raw_input_contents per input, got {len(raw)}")
    if tensor.HasField("contents"):
        raise InvalidRequest("expected either raw_input_contents or contents, got both")
    return raw[0]


def _typed(tensor: Message) -> bytes:
    """Returns elements that came one by one, as bytes."""
    field = CONTENTS.get(tensor.datatype)
    given = [name.name for name, _ in tensor.contents.ListFields()]
    if field is None or any(name != field for name in given):
        where = field or "raw_input_contents"
        raise InvalidTensor(f"expected {tensor.datatype} in {where}, got {given}")
    values = getattr(tensor.contents, field)
    dtype = np.dtype(DATATYPES[tensor.datatype])
    if dtype.kind in "iu" and dtype.itemsize < 4:
        limits = np.iinfo(dtype)
        wide = np.array(values, np.int64)
        if wide.size and (wide.min() < limits.min or wide.max() > limits.max):
            raise InvalidTensor(
                f"expected elements from {limits.min} to {limits.max} for {tensor.datatype}, got "
                f"{wide.min()} to {wide.max()}"
            )
    return np.array(values, dtype).tobytes()
