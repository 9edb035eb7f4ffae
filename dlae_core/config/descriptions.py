"""The configuration language described: what the command line and the reference pages tell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from google.protobuf.descriptor import Descriptor

from dlae.v1.layers_pb2 import Layer
from dlae_core.config.comments import comment_of
from dlae_core.config.layer_text import format_layer, parse_layer
from dlae_core.config.legacy import is_legacy
from dlae_core.config.legacy_notes import LEGACY_NOTES
from dlae_core.config.schema import Setting, layer_types, sections, settings
from dlae_core.config.wording import expected_kind, expected_range

# Fields of the examples, where the defaults do not make one.
_EXAMPLES = {
    "input": ":(512, 512, 1)",
    "reshape": ":(64, 64, 16)",
    "permute": ":(2, 1, 3)",
    "backbone": ":False:none:(512, 512, 1):True:False",
}
_TEXTS = {"parts": "a text with colons", "parts_list": "texts with colons, in a list"}


@dataclass(frozen=True)
class Description:
    """One setting, or one field of a layer.

    Attributes:
        path: `section.key`, or the layer's name and the field: `Convolution.kernel`.
        key: As it is written.
        meaning: What it is.
        kind: What is written: `a whole number, or several in brackets`.
        default: As it is written in a configuration; None where there is none.
        limits: Range of the numbers and length of the list: `at least 0 and below 1`.
        unit: Of the number.
        choices: Allowed texts; empty for any.
        applies: When it acts; empty for always.
        required: Whether it must be given.
        legacy: What DLAE 1.0 did where that differs.
        parts: What a text with colons holds, in order.
    """

    path: str
    key: str
    meaning: str
    kind: str
    default: str | None
    limits: str
    unit: str
    choices: tuple[str, ...]
    applies: str
    required: bool
    legacy: str
    parts: tuple["Description", ...] = ()


@dataclass(frozen=True)
class SectionDescription:
    """One section of a configuration.

    Attributes:
        name: As it is written.
        meaning: What it is about.
        settings: In schema order.
    """

    name: str
    meaning: str
    settings: tuple[Description, ...]


@dataclass(frozen=True)
class LayerDescription:
    """One layer type.

    Attributes:
        name: Without a rank: `Convolution`.
        names: As written in a layer string: `Convolution 2D`, `Convolution 3D`.
        aliases: Other spellings that are read, without a rank.
        ranks: Numbers of space axes that the names state; empty where they state none.
        meaning: What it does.
        fields: In the order in which they are written.
        example: A layer string.
        legacy: What DLAE 1.0 did where that differs.
    """

    name: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]
    ranks: tuple[int, ...]
    meaning: str
    fields: tuple[Description, ...]
    example: str
    legacy: str

    @property
    def spellings(self) -> tuple[str, ...]:
        """Everything that names it, with a rank and without."""
        ranked = [f"{alias} {rank}D" for alias in self.aliases for rank in self.ranks]
        return (*self.names, self.name, *self.aliases, *ranked)


@cache
def section_descriptions() -> Mapping[str, SectionDescription]:
    """Returns the sections of a configuration by name, in schema order."""
    return {name: _section(row) for name, row in sections().items()}


@cache
def layer_descriptions() -> Mapping[str, LayerDescription]:
    """Returns the layer types by name, without a rank, in schema order."""
    found = [_layer(field) for field in layer_types()]
    return {layer.name: layer for layer in found}


def _section(row: Setting) -> SectionDescription:
    message = _message(row)
    fields = _fields(message, row.key)
    told = (one if is_legacy(row.key, one.key) else _as_added(one) for one in fields)
    return SectionDescription(row.key, comment_of(message), tuple(told))


def _as_added(setting: Description) -> Description:
    return replace(setting, legacy=setting.legacy or "Does not exist.")


def _layer(field: str) -> LayerDescription:
    kind, message = layer_types()[field], _layer_message(field)
    names = _names(field)
    example = parse_layer(names[0] + _EXAMPLES.get(field, ""))
    return LayerDescription(
        name=kind.name,
        names=names,
        aliases=tuple(kind.aliases),
        ranks=tuple(kind.ranks),
        meaning=comment_of(message),
        fields=_fields(message, kind.name),
        example=format_layer(example),
        legacy=LEGACY_NOTES.get(kind.name, ""),
    )


def _names(field: str) -> tuple[str, ...]:
    kind = layer_types()[field]
    for row in settings(_layer_message(field)).values():
        if row.options.is_name:
            return row.choices
    return tuple(f"{kind.name} {rank}D" if rank else kind.name for rank in kind.ranks or (0,))


def _fields(message: Descriptor, prefix: str) -> tuple[Description, ...]:
    rows = settings(message).values()
    return tuple(_description(row, message, prefix) for row in rows if not row.options.is_name)


def _description(row: Setting, message: Descriptor, prefix: str) -> Description:
    path = f"{prefix}.{row.key}"
    return Description(
        path=path,
        key=row.key,
        meaning=comment_of(message, row.name),
        kind=_kind(row),
        default=row.default,
        limits=_limits(row),
        unit=row.options.unit,
        choices=row.choices,
        applies=row.options.applies,
        required=row.options.required,
        legacy=LEGACY_NOTES.get(path, ""),
        parts=_fields(_message(row), path) if row.kind in _TEXTS else (),
    )


def _kind(row: Setting) -> str:
    if row.kind in _TEXTS:
        return f"{_TEXTS[row.kind]}: `{':'.join(settings(_message(row)))}`"
    if row.options.pairs:
        return "a whole number, or one pair (before, after) per axis"
    if row.options.per_axis:
        one = "a whole number, or one per axis in brackets"
        return f"{one}, or None" if row.options.none_allowed else one
    if row.choices:
        return "one of the choices, or None" if row.options.none_allowed else "one of the choices"
    return expected_kind(row)


def _limits(row: Setting) -> str:
    options, phrases = row.options, []
    if row.kind in ("int", "float", "numbers"):
        phrases.append(expected_range(row))
    most = options.max_items if options.HasField("max_items") else None
    if options.min_items and options.min_items == most:
        phrases.append(f"{most} items")
    elif options.min_items and most:
        phrases.append(f"{options.min_items} to {most} items")
    elif options.min_items > 1:
        phrases.append(f"at least {options.min_items} items")
    return ", ".join(phrase for phrase in phrases if phrase)


def _message(row: Setting) -> Descriptor:
    if row.message is None:
        raise ValueError(f"{row.key} holds no message")
    return row.message


def _layer_message(field: str) -> Descriptor:
    message: Descriptor = getattr(Layer(), field).DESCRIPTOR
    return message
