"""Layer strings to messages and back, by walking the layer descriptors.

    name[ 2D| 3D][:field]...        Convolution 2D:64:(3, 3):(1, 1):same

Names, fields, their order and their defaults are the schema's. Fields are split at colons outside
brackets; an empty field, `None` and fields left out at the end take their default. One number
stands for all axes.
"""

from dataclasses import dataclass
from functools import cache

from google.protobuf.message import Message

from dlae.v1.layers_pb2 import Layer
from dlae_core.config.limits import violations_of
from dlae_core.config.literals import MAX_CHARACTERS
from dlae_core.config.parts import fill_defaults, read_parts, split_parts, write_parts
from dlae_core.config.schema import Setting, assign, layer_types, settings_of, value_of
from dlae_core.config.wording import shown, suggestion
from dlae_core.errors import InvalidConfig, Violation


class LayerSyntaxError(InvalidConfig):
    """A layer string that cannot be read; the violations' paths are relative to the item."""


@dataclass(frozen=True)
class LayerForm:
    """A layer type with one of its ranks: what one name in the layer language means.

    Attributes:
        field: Name in the oneof `Layer.type`.
        rank: Number of spatial axes that the name states; 0 for none.
        name: As written.
        named: Value of the field that holds the name; empty where the layer has none.
    """

    field: str
    rank: int
    name: str
    named: str = ""


def parse_layer(text: str) -> Layer:
    """Returns the layer that a layer string describes, with all defaults filled in.

    A field stays unset only where it has no default or `None` switches it off. Reads the aliases
    of names too.

    Differs: DLAE 1.0 fails on blanks after a colon, on fields left out at the end and on empty
    fields, and ignores fields too many; `Leaky reLU:` is a rectifier with NaN there.

    Raises:
        LayerSyntaxError: Unknown name, or fields that cannot be read or are not allowed.
    """
    if len(text) > MAX_CHARACTERS:
        sentence = f"expected at most {MAX_CHARACTERS} characters, got {len(text)}"
        raise LayerSyntaxError([Violation("", "INVALID_VALUE", sentence)])
    name, *parts = split_parts(text)
    form = _forms().get(name)
    if form is None:
        raise LayerSyntaxError([_unknown(name)])
    layer = Layer(rank=form.rank)
    message = getattr(layer, form.field)
    message.SetInParent()
    if naming := _name_setting(form.field):
        assign(message, naming, form.named)
    found = read_parts(message, parts, form.rank)
    wrong = {violation.path.partition("[")[0] for violation in found}
    fill_defaults(message, form.rank)
    found += [row for row in field_violations(message, "", form.rank) if row.path not in wrong]
    if found:
        raise LayerSyntaxError([_quoting(violation, text) for violation in found])
    return layer


def format_layer(layer: Layer) -> str:
    """Returns the layer string of a layer, with all fields written.

    Raises:
        ValueError: The layer has no type.
    """
    return ":".join([layer_name(layer), *write_parts(_message(layer))])


def layer_name(layer: Layer) -> str:
    """Returns the name of a layer in the layer language, as `Convolution 2D`.

    Raises:
        ValueError: The layer has no type, or a rank that its type does not have.
    """
    name = _names().get(_key(layer))
    if name is None:
        raise ValueError(f"no layer of type {layer.WhichOneof('type')} and rank {layer.rank}")
    return name


def layer_names() -> tuple[str, ...]:
    """Returns all names of the layer language, aliases left out, in schema order."""
    return tuple(_names().values())


def layer_violations(layer: Layer, path: str) -> list[Violation]:
    """Returns what the schema has against a complete layer message."""
    if layer.WhichOneof("type") is None:
        return [Violation(path, "MISSING", "expected a layer, got a message without a type")]
    if _key(layer) not in _names():
        sentence = f"expected a rank and a name that the layer type has, got {_key(layer)[1:]}"
        return [Violation(path, "RANK_MISMATCH", sentence)]
    return field_violations(_message(layer), f"{path}.", layer.rank)


def field_violations(message: Message, prefix: str, rank: int = 0) -> list[Violation]:
    """Returns what the schema has against the fields of a message of plain values."""
    return [
        violation
        for row in settings_of(message).values()
        for violation in violations_of(row, value_of(message, row), prefix + row.key, rank)
    ]


def fill_layer(layer: Layer) -> None:
    """Fills the fields of a layer that are not set; does nothing where type and rank disagree."""
    if _key(layer) in _names():
        fill_defaults(_message(layer), layer.rank)


def _message(layer: Layer) -> Message:
    message: Message = getattr(layer, layer.WhichOneof("type") or "")
    return message


def _key(layer: Layer) -> tuple[str, int, str]:
    kind = layer.WhichOneof("type") or ""
    named = _name_setting(kind) if kind else None
    return kind, layer.rank, value_of(_message(layer), named) or "" if named else ""


@cache
def _names() -> dict[tuple[str, int, str], str]:
    return {(form.field, form.rank, form.named): form.name for form in _canonical_forms()}


@cache
def _forms() -> dict[str, LayerForm]:
    """Returns the forms by every name that is read."""
    forms = {form.name: form for form in _canonical_forms()}
    for field, kind in layer_types().items():
        for alias in kind.aliases:
            for rank in kind.ranks or (0,):
                forms[_with_rank(alias, rank)] = LayerForm(field, rank, _with_rank(alias, rank))
    return forms


@cache
def _canonical_forms() -> tuple[LayerForm, ...]:
    forms: list[LayerForm] = []
    for field, kind in layer_types().items():
        if named := _name_setting(field):
            forms += [LayerForm(field, 0, choice, choice) for choice in named.choices]
        else:
            ranks = kind.ranks or (0,)
            forms += [LayerForm(field, rank, _with_rank(kind.name, rank)) for rank in ranks]
    return tuple(forms)


@cache
def _name_setting(field: str) -> Setting | None:
    """Returns the setting that holds the name of a layer, None where its type is its name."""
    rows = settings_of(getattr(Layer(), field)).values()
    return next((row for row in rows if row.options.is_name), None)


def _with_rank(name: str, rank: int) -> str:
    return f"{name} {rank}D" if rank else name


def _unknown(name: str) -> Violation:
    meant = suggestion(name, _forms())
    return Violation("", "UNKNOWN_LAYER", f"expected the name of a layer, got {shown(name)}{meant}")


def _quoting(violation: Violation, text: str) -> Violation:
    sentence = f"{violation.message}, in {shown(text)}"
    return Violation(violation.path, violation.reason, sentence)
