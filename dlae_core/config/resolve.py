"""Completion: everything that was left out filled in, and where every value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_lists import lists_of_model, written_lists
from dlae_core.config.layer_text import fill_layer
from dlae_core.config.parts import fill_defaults
from dlae_core.config.prebuilt.expand import expand_prebuilt
from dlae_core.config.schema import Setting, sections, settings_of, value_of
from dlae_core.errors import Violation

Origin = Literal["file", "prebuilt", "rule", "default"]
FILE: Origin = "file"


@dataclass(frozen=True)
class Completion:
    """A configuration with everything filled in.

    Attributes:
        config: Complete, and without the name of a prebuilt network: that is written out.
        origins: Where every value came from, by path: the file (or message) itself, the prebuilt
            network that it names, a rule that derives it from other settings, or the schema's
            default. Texts with colons have one path per part.
        violations: What keeps the prebuilt network from being filled in.
        doubtful: Paths whose value is not known for that reason.
    """

    config: Config
    origins: Mapping[str, Origin]
    violations: tuple[Violation, ...]
    doubtful: frozenset[str]


def complete_config(given: Config, switched_off: frozenset[str] = frozenset()) -> Completion:
    """Writes out the prebuilt network that a configuration names, and fills in all defaults.

    Args:
        given: What the file gives.
        switched_off: Paths that the file says are `None`, which no message can hold.
    """
    expanded, violations = expand_prebuilt(given)
    for path in switched_off:
        section, _, key = path.partition(".")
        message = getattr(expanded, section)
        message.ClearField(settings_of(message)[key].name)
    config = resolve_config(expanded)
    origins = dict(_origins(config, given, expanded)) | dict.fromkeys(switched_off, FILE)
    if config.config_file.input_shape and origins["config_file.input_shape"] == "default":
        origins["config_file.input_shape"] = "rule"
    doubtful = {violation.path for violation in violations}
    if violations:
        # What a network that is not known would have brought is not known either.
        doubtful |= {path for path, origin in origins.items() if origin != "file"}
    return Completion(config, origins, tuple(violations), frozenset(doubtful))


def resolve_config(config: Config) -> Config:
    """Returns a copy with every default filled in, layers included.

    The input shape is taken from the model's `Input` layer where it is not given. Settings without
    a default, such as the parameters of a loss, stay unset.

    Differs: DLAE 1.0 takes 0.1 for empty shifts, 0.0 for an empty plateau factor and for empty
    loss parameters.
    """
    resolved = Config()
    resolved.CopyFrom(config)
    for row in sections().values():
        section = getattr(resolved, row.name)
        section.SetInParent()
        fill_defaults(section)
    for layer in _all_layers(resolved):
        fill_layer(layer)
    if not resolved.config_file.input_shape:
        resolved.config_file.input_shape.extend(_shape_of_input(resolved))
    return resolved


def _origins(
    resolved: Message, given: Message, expanded: Message, prefix: str = ""
) -> Iterator[tuple[str, Origin]]:
    for row in settings_of(resolved).values():
        path = prefix + row.key
        if row.kind in ("section", "parts"):
            inner = [getattr(message, row.name) for message in (resolved, given, expanded)]
            yield from _origins(inner[0], inner[1], inner[2], f"{path}.")
        elif _is_set(given, row):
            # Written out, the name of a prebuilt network is empty.
            is_list = row.kind in ("layer", "parts_list")
            kept = is_list or value_of(given, row) == value_of(resolved, row)
            yield path, "file" if kept else "rule"
        else:
            yield path, "prebuilt" if _is_set(expanded, row) else "default"


def _is_set(message: Message, row: Setting) -> bool:
    return bool(len(getattr(message, row.name)) if row.repeated else message.HasField(row.name))


def _all_layers(config: Config) -> list[Layer]:
    return [
        layer
        for row in settings_of(config.layers).values()
        for layer in value_of(config.layers, row) or ()
    ]


def _shape_of_input(config: Config) -> list[int]:
    lists = (*lists_of_model(config), *written_lists(config))
    return list(next(filter(None, (layers.input_shape for layers in lists)), ()))
