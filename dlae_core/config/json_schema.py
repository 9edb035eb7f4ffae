"""The configuration language as JSON Schema, for editors that complete and check while typing.

It allows native values and DLAE 1.0's texts. What agrees across settings is not in it: that is
what `dlae-client validate` is for.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from dlae_core.config.comments import comment_of
from dlae_core.config.descriptions import Description, layer_descriptions, section_descriptions
from dlae_core.config.layer_text import layer_names
from dlae_core.config.literals import default_of
from dlae_core.config.schema import Setting, sections, settings

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_BLANK = r"^\s*$"
# Numbers, commas and brackets: enough to point at a word in a list.
_LIST = r"[\s\d.,()\[\]eE_+-]*"
_LAYER = (
    "A layer of the layer language, as 'Convolution 2D:64:(3, 3)': its name, then its fields "
    "between colons. Fields that are empty, None, or left out at the end take their defaults."
)


def json_schema() -> Schema:
    """Returns the schema of a configuration file, draft 2020-12."""
    described = section_descriptions()
    properties = {
        name: _section(row, described[name].settings, described[name].meaning)
        for name, row in sections().items()
    }
    return {
        "$schema": DIALECT,
        "title": "DLAE configuration",
        "description": "Everything that defines a training or an inference session of DLAE.",
        **_object(properties),
        "$defs": {"layer": _layer_item()},
    }


def _section(row: Setting, described: tuple[Description, ...], meaning: str) -> Schema:
    rows = settings(_message(row))
    fields = {one.key: _setting(rows[one.key], one) for one in described}
    return {"description": meaning, **_object(fields, null=True)}


def _object(properties: Mapping[str, Schema], null: bool = False) -> Schema:
    kind = ["object", "null"] if null else "object"
    return {"type": kind, "properties": dict(properties), "additionalProperties": False}


def _setting(row: Setting, described: Description) -> Schema:
    shape = _FORMS.get(row.kind, _plain)(row)
    schema: Schema = {"description": _sentence(described), **shape}
    if row.default is not None:
        schema["default"] = row.default if row.kind == "parts" else _native(default_of(row))
    return schema


def _sentence(described: Description) -> str:
    facts = (
        ("Unit: {}.", described.unit),
        ("Acts where {}.", described.applies),
        ("DLAE 1.0: {}", described.legacy),
    )
    told = [form.format(fact) for form, fact in facts if fact]
    return " ".join([described.meaning, *told])


# Every keyword holds for values of its own type only: one schema tells native values and texts.
def _plain(row: Setting) -> Schema:
    if row.choices:
        none = ["None"] if row.options.none_allowed else []
        return {"enum": [*row.choices, *none, "", None]}
    if row.kind == "text":
        return {"type": ["string", "null"]}
    if row.repeated:
        return _listed(row)
    native, text = _SCALARS[row.kind]
    return {"type": [native, "string", "null"], **_bounds(row), "pattern": _pattern(row, text)}


def _listed(row: Setting) -> Schema:
    options = row.options
    number = {"type": _SCALARS["int" if row.kind == "int" else "float"][0], **_bounds(row)}
    nested = {**number, "type": [number["type"], "array"], "items": number, "minItems": 1}
    form = {**number, "type": [number["type"], "array", "string", "null"]}
    form["items"] = nested if row.kind == "numbers" else number
    if options.min_items > 1:
        # One number alone is a list of one.
        form["type"].remove(number["type"])
    if options.min_items:
        form["minItems"] = options.min_items
    if options.HasField("max_items"):
        form["maxItems"] = options.max_items
    return {**form, "pattern": _pattern(row, _LIST)}


def _pattern(row: Setting, text: str) -> str:
    none = "|None" if row.options.none_allowed else ""
    return rf"^\s*({text}{none})?\s*$"


def _bounds(row: Setting) -> Schema:
    options = row.options
    bounds = (
        ("minimum", options.min, "min"),
        ("maximum", options.max, "max"),
        ("exclusiveMinimum", options.above, "above"),
        ("exclusiveMaximum", options.below, "below"),
    )
    return {word: _shortest(bound) for word, bound, name in bounds if options.HasField(name)}


def _parts(row: Setting) -> Schema:
    message = _message(row)
    rows = settings(message)
    fields = {
        key: {"description": comment_of(message, part.name), **_plain(part)}
        for key, part in rows.items()
    }
    form = {**_object(fields), "type": ["string", "object", "null"]}
    return {**form, "pattern": f"^[^:]*(:[^:]*){{0,{len(rows) - 1}}}$"}


def _parts_list(row: Setting) -> Schema:
    item = _parts(row)
    kinds = ["array", "string", "null"]
    return {**item, "type": kinds, "items": item, "maxItems": row.options.max_items}


def _layers(row: Setting) -> Schema:
    kinds = ["array", "string", "null"]
    return {"type": kinds, "items": {"$ref": "#/$defs/layer"}, "pattern": _BLANK}


def _layer_item() -> Schema:
    aliases = [
        f"{alias} {rank}D" if rank else alias
        for layer in layer_descriptions().values()
        for alias in layer.aliases
        for rank in layer.ranks or (0,)
    ]
    names = "|".join(map(re.escape, (*layer_names(), *aliases))).replace(r"\ ", " ")
    examples = [layer.example for layer in layer_descriptions().values()]
    pattern = rf"^\s*({names})\s*(:|$)"
    return {"description": _LAYER, "type": "string", "pattern": pattern, "examples": examples}


def _native(value: Any) -> Any:
    return [_native(item) for item in value] if isinstance(value, tuple) else value


def _shortest(bound: float) -> float:
    return int(bound) if bound.is_integer() else bound


def _message(row: Setting) -> Descriptor:
    if row.message is None:
        raise ValueError(f"{row.key} holds no message")
    return row.message


_SCALARS = {
    "bool": ("boolean", "True|False"),
    "int": ("integer", r"[+-]?\d+(_\d+)*"),
    "float": ("number", r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?"),
}
_FORMS: Mapping[str, Callable[[Setting], Schema]] = {
    "parts": _parts,
    "parts_list": _parts_list,
    "layer": _layers,
}
