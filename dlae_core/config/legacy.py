"""DLAE 1.0's own form of a configuration: all its keys, every value a text."""

import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Backbone, Layer
from dlae_core.config.layer_text import fill_layer, format_layer, layer_name
from dlae_core.config.parts import parts_text, split_parts, write_parts
from dlae_core.config.resolve import resolve_config
from dlae_core.config.schema import Setting, sections, settings, settings_of, value_of
from dlae_core.errors import Violation

# Numbers of settings that DLAE 1.0 has; they come first in their sections.
_KEYS = {
    "config_file": 3,
    "paths": 8,
    "preprocessing": 9,
    "augmentation": 19,
    "loss_function": 3,
    "learning_rate_schedule": 10,
    "optimizer": 8,
    "training_configurations": 8,
    "monitors": 3,
    "save_configurations": 10,
    "bbd_options": 18,
    "layers": 3,
    "prediction": 0,
}
# Layers that the manual of DLAE 1.0 names and no network of it can have.
NEVER_BUILT = (
    "Permute",
    "Separable convolution 3D",
    "Depthwise separable convolution 2D",
    "Depthwise separable convolution 3D",
    "Hook connection target",
)

# Lists that DLAE 1.0 wants without brackets.
_BARE = ("minimum_image_intensity", "maximum_image_intensity", "scales")
# Numbers that DLAE 1.0 wants without a decimal point.
_WHOLE = ("rotation_range", "steps")
# Losses that DLAE 1.0 does not have.
_ADDED_LOSSES = ("jaccard_set",)
# What DLAE 1.0 makes of empty loss parameters matters for the losses that have them.
_PARAMETERS = {
    "tversky": ("parameter1", "parameter2"),
    "jaccard": ("parameter1",),
    "focal": ("parameter1", "parameter2"),
    "soft_dice": ("parameter1",),
    "ssd": ("parameter1", "parameter2"),
    "pix2pix": ("parameter1",),
    "cyclegan": ("parameter1", "parameter2"),
}


def write_legacy_config(config: Config) -> str:
    """Returns a complete configuration as DLAE 1.0 writes it: 12 sections, 102 keys, texts.

    Reading the text gives the same configuration again, but for what `legacy_losses` tells.

    Args:
        config: Complete, as `complete_config` returns it.
    """
    document = {
        name: {
            key: _json(row, value_of(getattr(config, section.name), row))
            for key, row in settings_of(getattr(config, section.name)).items()
            if is_legacy(name, key)
        }
        for name, section in sections().items()
        if _KEYS[name]
    }
    # DLAE 1.0 reads with the encoding of the computer it runs on.
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def is_legacy(section: str, key: str) -> bool:
    """Returns whether DLAE 1.0 has a setting."""
    message = sections()[section].message
    return message is not None and key in list(settings(message))[: _KEYS[section]]


def legacy_text(setting: Setting, value: Any) -> str:
    """Returns a value as DLAE 1.0 writes it: `True`, `0.5`, `(512, 512, 1)`, `None`, empty.

    Args:
        setting: Of a kind other than `layer` and `section`.
        value: As `schema.value_of` returns it.
    """
    if value is None:
        return "None" if setting.options.none_allowed else ""
    if setting.kind == "parts":
        return ":".join(write_parts(value))
    if setting.kind == "parts_list":
        return ", ".join(map(parts_text, value))
    if setting.kind == "numbers":
        value = _joined(setting, value)
    if setting.name in _WHOLE:
        value = _whole(value)
    return ", ".join(map(str, value)) if setting.name in _BARE else str(value)


def legacy_losses(config: Config) -> list[Violation]:
    """Returns what DLAE 1.0 cannot read, or reads as something else, in `write_legacy_config`.

    Args:
        config: Complete.
    """
    found = [*_missing(config), *_added(config)]
    if not config.augmentation.rotation_range.is_integer():
        sentence = "DLAE 1.0 reads whole degrees only"
        found.append(Violation("augmentation.rotation_range", "NOT_IN_1_0", sentence))
    for row in settings_of(config.layers).values():
        for item, layer in enumerate(value_of(config.layers, row) or ()):
            found += _layer_losses(layer, f"layers.{row.key}[{item}]")
    return found


def _json(row: Setting, value: Any) -> Any:
    if row.kind == "layer":
        return [_layer_text(layer) for layer in value or ()]
    return legacy_text(row, value)


def _layer_text(layer: Layer) -> str:
    return format_layer(_without_surplus(layer))


def _without_surplus(layer: Layer) -> Layer:
    """Returns a layer with defaults in the fields that DLAE 1.0 does not have."""
    bare = Layer()
    bare.CopyFrom(layer)
    for row in settings_of(_message(bare)).values():
        if row.options.skippable:
            _message(bare).ClearField(row.name)
    fill_layer(bare)
    return bare


def _message(layer: Layer) -> Message:
    message: Message = getattr(layer, layer.WhichOneof("type") or "")
    return message


def _joined(setting: Setting, value: tuple[tuple[float, ...], ...]) -> Any:
    """Returns a list of lists as it is written: single numbers without brackets of their own."""
    if setting.name == "aspect_ratios":
        return value[0] if len(value) == 1 else value
    return tuple(item[0] if len(item) == 1 else item for item in value)


def _whole(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_whole, value))
    return int(value) if float(value).is_integer() else value


def _missing(config: Config) -> Iterator[Violation]:
    if not config.config_file.input_shape:
        sentence = "DLAE 1.0 needs a shape; there is no Input layer to take it from"
        yield Violation("config_file.input_shape", "NOT_IN_1_0", sentence)
    loss = config.loss_function
    if loss.loss in _ADDED_LOSSES:
        sentence = f"DLAE 1.0 has no loss '{loss.loss}'"
        yield Violation("loss_function.loss", "NOT_IN_1_0", sentence)
    for key in _PARAMETERS.get(loss.loss, ()):
        if not loss.HasField(key):
            sentence = f"DLAE 1.0 takes 0.0 where it is empty, not the default of {loss.loss}"
            yield Violation(f"loss_function.{key}", "NOT_IN_1_0", sentence)


def _added(config: Config) -> Iterator[Violation]:
    defaults = resolve_config(Config())
    for name, section in sections().items():
        message, default = getattr(config, section.name), getattr(defaults, section.name)
        for key, row in settings_of(message).items():
            value = value_of(message, row)
            if not is_legacy(name, key) and value != value_of(default, row):
                sentence = f"left out ({legacy_text(row, value)}): DLAE 1.0 has no such setting"
                yield Violation(f"{name}.{key}", "NOT_IN_1_0", sentence)


def _layer_losses(layer: Layer, path: str) -> Iterator[Violation]:
    name, message, bare = layer_name(layer), _message(layer), _message(_without_surplus(layer))
    if name in NEVER_BUILT:
        yield Violation(path, "NOT_IN_1_0", f"DLAE 1.0 builds no network with '{name}'")
    for row in settings_of(message).values():
        value = value_of(message, row)
        if value != value_of(bare, row):
            sentence = f"left out ({legacy_text(row, value)}): DLAE 1.0 has no such field"
            yield Violation(f"{path}.{row.key}", "NOT_IN_1_0", sentence)
    if isinstance(message, Backbone):
        yield from _backbone_losses(layer, path)


def _backbone_losses(layer: Layer, path: str) -> Iterator[Violation]:
    if not layer.backbone.input_shape:
        sentence = "DLAE 1.0 needs the shape of the tensor that the network is applied to"
        yield Violation(f"{path}.input_shape", "NOT_IN_1_0", sentence)
    text = format_layer(layer)
    if len(split_parts(text)) != text.count(":") + 1:
        sentence = "DLAE 1.0 splits a layer at every colon, that of a path included"
        yield Violation(f"{path}.weights", "NOT_IN_1_0", sentence)
