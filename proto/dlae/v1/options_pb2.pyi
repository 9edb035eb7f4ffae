from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor
SETTING_FIELD_NUMBER: _ClassVar[int]
setting: _descriptor.FieldDescriptor
LAYER_FIELD_NUMBER: _ClassVar[int]
layer: _descriptor.FieldDescriptor
COLON_SEPARATED_FIELD_NUMBER: _ClassVar[int]
colon_separated: _descriptor.FieldDescriptor

class Setting(_message.Message):
    __slots__ = ("key", "default", "min", "max", "above", "below", "choices", "unit", "applies", "none_allowed", "min_items", "max_items", "per_axis", "required", "pairs", "skippable", "is_name")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    APPLIES_FIELD_NUMBER: _ClassVar[int]
    NONE_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    PER_AXIS_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    SKIPPABLE_FIELD_NUMBER: _ClassVar[int]
    IS_NAME_FIELD_NUMBER: _ClassVar[int]
    key: str
    default: str
    min: float
    max: float
    above: float
    below: float
    choices: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    applies: str
    none_allowed: bool
    min_items: int
    max_items: int
    per_axis: bool
    required: bool
    pairs: bool
    skippable: bool
    is_name: bool
    def __init__(self, key: _Optional[str] = ..., default: _Optional[str] = ..., min: _Optional[float] = ..., max: _Optional[float] = ..., above: _Optional[float] = ..., below: _Optional[float] = ..., choices: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ..., applies: _Optional[str] = ..., none_allowed: bool = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ..., per_axis: bool = ..., required: bool = ..., pairs: bool = ..., skippable: bool = ..., is_name: bool = ...) -> None: ...

class LayerType(_message.Message):
    __slots__ = ("name", "ranks", "aliases")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    name: str
    ranks: _containers.RepeatedScalarFieldContainer[int]
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., ranks: _Optional[_Iterable[int]] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...
