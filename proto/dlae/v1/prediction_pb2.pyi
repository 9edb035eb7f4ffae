from dlae.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutputKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_KIND_UNSPECIFIED: _ClassVar[OutputKind]
    OUTPUT_KIND_LABELS: _ClassVar[OutputKind]
OUTPUT_KIND_UNSPECIFIED: OutputKind
OUTPUT_KIND_LABELS: OutputKind

class PredictRequest(_message.Message):
    __slots__ = ("model", "input", "output_kind")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_KIND_FIELD_NUMBER: _ClassVar[int]
    model: str
    input: _tensor_pb2.Tensor
    output_kind: OutputKind
    def __init__(self, model: _Optional[str] = ..., input: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., output_kind: _Optional[_Union[OutputKind, str]] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("model", "output")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    model: str
    output: _tensor_pb2.Tensor
    def __init__(self, model: _Optional[str] = ..., output: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class PredictStreamRequest(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: PredictStreamHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[PredictStreamHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class PredictStreamHeader(_message.Message):
    __slots__ = ("model", "input", "output_kind")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_KIND_FIELD_NUMBER: _ClassVar[int]
    model: str
    input: _tensor_pb2.TensorHeader
    output_kind: OutputKind
    def __init__(self, model: _Optional[str] = ..., input: _Optional[_Union[_tensor_pb2.TensorHeader, _Mapping]] = ..., output_kind: _Optional[_Union[OutputKind, str]] = ...) -> None: ...

class PredictStreamResponse(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: PredictStreamResult
    data: bytes
    def __init__(self, header: _Optional[_Union[PredictStreamResult, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class PredictStreamResult(_message.Message):
    __slots__ = ("model", "output")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    model: str
    output: _tensor_pb2.TensorHeader
    def __init__(self, model: _Optional[str] = ..., output: _Optional[_Union[_tensor_pb2.TensorHeader, _Mapping]] = ...) -> None: ...
