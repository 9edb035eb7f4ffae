"""The configuration schema: what the proto descriptors and their options say, ready to walk.

Nothing here knows a single setting by name. Adding a field to `config.proto` or a message to
`layers.proto` is all that the reader, the checks, the defaults and the writer need.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from dlae.v1 import options_pb2
from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer, Numbers

Kind = Literal["bool", "int", "float", "text", "numbers", "layer", "parts", "parts_list", "section"]

_SCALAR_KINDS: Mapping[int, Kind] = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int",
    FieldDescriptor.TYPE_UINT32: "int",
    FieldDescriptor.TYPE_DOUBLE: "float",
    FieldDescriptor.TYPE_STRING: "text",
}
_INTEGER_RANGES: Mapping[int, tuple[float, float]] = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
}
_MESSAGE_KINDS: Mapping[str, Kind] = {
    Numbers.DESCRIPTOR.full_name: "numbers",
    Layer.DESCRIPTOR.full_name: "layer",
}


@dataclass(frozen=True, eq=False)
class Setting:
    """One field of the schema with everything its options say.

    Attributes:
        name: Name of the field in its message.
        key: Spelling in a configuration file.
        kind: What one item holds; `parts` is a message written as colon-separated text,
            `parts_list` a list of such.
        repeated: Whether it holds a list of items.
        message: Descriptor of the items where they are messages.
        default: As written in a configuration file; None where there is none.
        minimum: Smallest allowed number, the field type's own range included.
        maximum: Largest allowed number, likewise.
        options: The `setting` option itself, for everything else.
        choices: Allowed texts; empty for any.
    """

    name: str
    key: str
    kind: Kind
    repeated: bool
    message: Descriptor | None
    default: str | None
    minimum: float | None
    maximum: float | None
    options: options_pb2.Setting
    choices: tuple[str, ...]


@cache
def settings(descriptor: Descriptor) -> Mapping[str, Setting]:
    """Returns the settings of a message by their spelling, in schema order."""
    rows = [_setting(field) for field in sorted(descriptor.fields, key=lambda field: field.number)]
    return {row.key: row for row in rows}


def sections() -> Mapping[str, Setting]:
    """Returns the sections of a configuration by name."""
    return settings(Config.DESCRIPTOR)


def settings_of(message: Message) -> Mapping[str, Setting]:
    """Returns the settings of a message's type by their spelling, in schema order."""
    return settings(message.DESCRIPTOR)


@cache
def layer_types() -> Mapping[str, options_pb2.LayerType]:
    """Returns the layer types by their field in the oneof `Layer.type`."""
    fields = Layer.DESCRIPTOR.oneofs_by_name["type"].fields
    return {
        field.name: _option(field.message_type, options_pb2.layer)
        for field in fields
        if field.message_type is not None
    }


def value_of(message: Message, setting: Setting) -> Any:
    """Returns what a message holds: None where it is not set, tuples for lists.

    Messages other than `Numbers` are returned as they are.
    """
    value = getattr(message, setting.name)
    if not setting.repeated:
        return value if message.HasField(setting.name) else None
    if setting.options.pairs:
        return tuple(tuple(map(_whole_if_whole, item.values)) for item in value) or None
    if setting.kind == "numbers":
        return tuple(tuple(item.values) for item in value) or None
    return tuple(value) or None


def assign(message: Message, setting: Setting, value: Any) -> None:
    """Puts a value as `value_of` returns it into a message; None clears the field."""
    message.ClearField(setting.name)
    if value is None:
        return
    if setting.kind == "numbers":
        value = [Numbers(values=item) for item in value]
    if setting.repeated:
        getattr(message, setting.name).extend(value)
    else:
        setattr(message, setting.name, value)


def _whole_if_whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def _setting(field: FieldDescriptor) -> Setting:
    options: options_pb2.Setting = _option(field, options_pb2.setting)
    lowest, highest = _INTEGER_RANGES.get(field.type, (None, None))
    return Setting(
        name=field.name,
        key=options.key or field.name,
        kind=_kind(field),
        repeated=field.is_repeated,
        message=field.message_type,
        default=options.default if options.HasField("default") else None,
        minimum=options.min if options.HasField("min") else lowest,
        maximum=options.max if options.HasField("max") else highest,
        options=options,
        choices=tuple(options.choices),
    )


def _kind(field: FieldDescriptor) -> Kind:
    if field.message_type is None:
        return _SCALAR_KINDS[field.type]
    if _option(field.message_type, options_pb2.colon_separated):
        return "parts_list" if field.is_repeated else "parts"
    return _MESSAGE_KINDS.get(field.message_type.full_name, "section")


def _option(descriptor: Any, option: Any) -> Any:
    return descriptor.GetOptions().Extensions[option]
