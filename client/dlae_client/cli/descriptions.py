"""Settings and layers described: pages for people, documents for programs."""

import click

from dlae_client.cli.tables import table
from dlae_core.config.descriptions import Description, LayerDescription, SectionDescription

_WIDTH = 100
_FIELDS_WIDTH = 58


def setting_page(setting: Description) -> str:
    """Returns all that is known of a setting or of a field."""
    facts = (
        ("type", setting.kind),
        ("choices", ", ".join(setting.choices)),
        ("limits", setting.limits),
        ("unit", setting.unit),
        ("default", default_text(setting)),
        ("acts", f"where {setting.applies}" if setting.applies else ""),
        ("DLAE 1.0", setting.legacy),
    )
    parts = [("", f"{part.key}: {_lowered(part.meaning)}") for part in setting.parts]
    lines = [_fact(name, text) for name, text in (*facts[:1], *parts, *facts[1:]) if text]
    return "\n".join([setting.path, _wrapped(setting.meaning), *lines])


def section_page(section: SectionDescription) -> str:
    """Returns the settings of a section in one line each."""
    head = ("setting", "default", "meaning")
    rows = [(row.key, default_text(row), row.meaning) for row in section.settings]
    return "\n".join([section.name, _wrapped(section.meaning), "", table(head, rows)])


def layer_page(layer: LayerDescription) -> str:
    """Returns all that is known of a layer."""
    names = ", ".join(layer.names)
    if layer.aliases:
        names += f" (also read: {', '.join(layer.aliases)})"
    facts = [_fact("example", layer.example)]
    facts += [_fact("DLAE 1.0", layer.legacy)] if layer.legacy else []
    blocks = ["\n".join([click.wrap_text(names, _WIDTH), _wrapped(layer.meaning), *facts])]
    return "\n\n".join([*blocks, *map(setting_page, layer.fields)])


def layer_table(layers: list[LayerDescription]) -> str:
    """Returns layers in one line each, with their fields and defaults."""
    rows = []
    for layer in layers:
        ranks = ", ".join(f"{rank}D" for rank in layer.ranks)
        first, *others = click.wrap_text(field_list(layer), _FIELDS_WIDTH).split("\n")
        rows += [(layer.name, ranks, first), *(("", "", line) for line in others)]
    return table(("layer", "ranks", "fields"), rows)


def field_list(layer: LayerDescription) -> str:
    """Returns the fields of a layer with their defaults: `filters=64, kernel=3`."""
    fields = layer.fields
    return ", ".join(f"{row.key}={row.default}" if row.default else row.key for row in fields)


def default_text(setting: Description) -> str:
    """Returns the default of a setting as people are told of it."""
    if setting.required:
        return "must be given"
    return "" if setting.default is None else setting.default or "empty"


def _fact(name: str, text: str) -> str:
    lead = f"  {name:<10}"
    return click.wrap_text(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))


def _wrapped(text: str) -> str:
    return click.wrap_text(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
