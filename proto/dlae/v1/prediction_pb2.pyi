from dlae.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutputKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_KIND_UNSPECIFIED: _ClassVar[OutputKind]
    OUTPUT_KIND_LABELS: _ClassVar[OutputKind]
    OUTPUT_KIND_BOXES: _ClassVar[OutputKind]
    OUTPUT_KIND_OUTPUT: _ClassVar[OutputKind]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_INTERACTIVE: _ClassVar[Priority]
    PRIORITY_BATCH: _ClassVar[Priority]
OUTPUT_KIND_UNSPECIFIED: OutputKind
OUTPUT_KIND_LABELS: OutputKind
OUTPUT_KIND_BOXES: OutputKind
OUTPUT_KIND_OUTPUT: OutputKind
PRIORITY_UNSPECIFIED: Priority
PRIORITY_INTERACTIVE: Priority
PRIORITY_BATCH: Priority

class PredictOptions(_message.Message):
    __slots__ = ("tile_overlap", "tile_blend", "flips", "threshold", "most_probable", "largest_component_switch", "fill_holes_switch", "images_at_once", "resize_switch", "annotation_units_switch", "confidence_threshold", "precision")
    TILE_OVERLAP_FIELD_NUMBER: _ClassVar[int]
    TILE_BLEND_FIELD_NUMBER: _ClassVar[int]
    FLIPS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MOST_PROBABLE_FIELD_NUMBER: _ClassVar[int]
    LARGEST_COMPONENT_SWITCH_FIELD_NUMBER: _ClassVar[int]
    FILL_HOLES_SWITCH_FIELD_NUMBER: _ClassVar[int]
    IMAGES_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    RESIZE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    ANNOTATION_UNITS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    tile_overlap: float
    tile_blend: str
    flips: FlipAxes
    threshold: float
    most_probable: bool
    largest_component_switch: bool
    fill_holes_switch: bool
    images_at_once: int
    resize_switch: bool
    annotation_units_switch: bool
    confidence_threshold: float
    precision: str
    def __init__(self, tile_overlap: _Optional[float] = ..., tile_blend: _Optional[str] = ..., flips: _Optional[_Union[FlipAxes, _Mapping]] = ..., threshold: _Optional[float] = ..., most_probable: bool = ..., largest_component_switch: bool = ..., fill_holes_switch: bool = ..., images_at_once: _Optional[int] = ..., resize_switch: bool = ..., annotation_units_switch: bool = ..., confidence_threshold: _Optional[float] = ..., precision: _Optional[str] = ...) -> None: ...

class FlipAxes(_message.Message):
    __slots__ = ("axes",)
    AXES_FIELD_NUMBER: _ClassVar[int]
    axes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, axes: _Optional[_Iterable[int]] = ...) -> None: ...

class PredictRequest(_message.Message):
    __slots__ = ("model", "input", "output_kind", "options", "priority", "describe", "provenance")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_KIND_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    input: _tensor_pb2.Tensor
    output_kind: OutputKind
    options: PredictOptions
    priority: Priority
    describe: bool
    provenance: bool
    def __init__(self, model: _Optional[str] = ..., input: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., output_kind: _Optional[_Union[OutputKind, str]] = ..., options: _Optional[_Union[PredictOptions, _Mapping]] = ..., priority: _Optional[_Union[Priority, str]] = ..., describe: bool = ..., provenance: bool = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("model", "output", "model_sha256", "description")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MODEL_SHA256_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    model: str
    output: _tensor_pb2.Tensor
    model_sha256: str
    description: Description
    def __init__(self, model: _Optional[str] = ..., output: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., model_sha256: _Optional[str] = ..., description: _Optional[_Union[Description, _Mapping]] = ...) -> None: ...

class Description(_message.Message):
    __slots__ = ("output_kind", "preprocessing", "postprocessing", "engine", "precision", "tiles", "mirror_images", "provenance")
    OUTPUT_KIND_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    POSTPROCESSING_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    MIRROR_IMAGES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    output_kind: OutputKind
    preprocessing: _containers.RepeatedScalarFieldContainer[str]
    postprocessing: _containers.RepeatedScalarFieldContainer[str]
    engine: str
    precision: str
    tiles: int
    mirror_images: int
    provenance: Provenance
    def __init__(self, output_kind: _Optional[_Union[OutputKind, str]] = ..., preprocessing: _Optional[_Iterable[str]] = ..., postprocessing: _Optional[_Iterable[str]] = ..., engine: _Optional[str] = ..., precision: _Optional[str] = ..., tiles: _Optional[int] = ..., mirror_images: _Optional[int] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("record", "input_sha256", "output_sha256")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    INPUT_SHA256_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SHA256_FIELD_NUMBER: _ClassVar[int]
    record: str
    input_sha256: str
    output_sha256: str
    def __init__(self, record: _Optional[str] = ..., input_sha256: _Optional[str] = ..., output_sha256: _Optional[str] = ...) -> None: ...

class PredictStreamRequest(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: PredictStreamHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[PredictStreamHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class PredictStreamHeader(_message.Message):
    __slots__ = ("model", "input", "output_kind", "options", "priority", "describe", "provenance")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_KIND_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    input: _tensor_pb2.TensorHeader
    output_kind: OutputKind
    options: PredictOptions
    priority: Priority
    describe: bool
    provenance: bool
    def __init__(self, model: _Optional[str] = ..., input: _Optional[_Union[_tensor_pb2.TensorHeader, _Mapping]] = ..., output_kind: _Optional[_Union[OutputKind, str]] = ..., options: _Optional[_Union[PredictOptions, _Mapping]] = ..., priority: _Optional[_Union[Priority, str]] = ..., describe: bool = ..., provenance: bool = ...) -> None: ...

class PredictStreamResponse(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: PredictStreamResult
    data: bytes
    def __init__(self, header: _Optional[_Union[PredictStreamResult, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class PredictStreamResult(_message.Message):
    __slots__ = ("model", "output", "model_sha256", "description")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MODEL_SHA256_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    model: str
    output: _tensor_pb2.TensorHeader
    model_sha256: str
    description: Description
    def __init__(self, model: _Optional[str] = ..., output: _Optional[_Union[_tensor_pb2.TensorHeader, _Mapping]] = ..., model_sha256: _Optional[str] = ..., description: _Optional[_Union[Description, _Mapping]] = ...) -> None: ...
