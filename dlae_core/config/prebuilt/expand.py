"""A configuration that names a prebuilt network, with what the network brings filled in."""

import json

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae_core.config.prebuilt.catalogue import prebuilt, prebuilt_sections
from dlae_core.config.read import read_config
from dlae_core.errors import InvalidConfig, Violation


def expand_prebuilt(config: Config) -> tuple[Config, list[Violation]]:
    """Returns a configuration that stands without `config_file.prebuilt`, and what is wrong.

    What the configuration sets stays. `config_file.input_shape` and `preprocessing.categories`, or
    `bbd_options.number_classes` for a detector, shape the network where they are set. A
    configuration that names no prebuilt network, or one that is wrong, is returned as it is.

    Args:
        config: As it was read: what is left out must not be filled with defaults yet.
    """
    name = config.config_file.prebuilt
    if not name:
        return config, []
    try:
        sections = _sections(config, name)
    except InvalidConfig as error:
        return config, list(error.violations)
    found = _contradictions(config, name)
    if found:
        return config, found
    expanded = read_config(json.dumps(sections)).config
    _clear(expanded, config)
    expanded.MergeFrom(config)
    expanded.config_file.ClearField("prebuilt")
    return expanded, []


def _sections(config: Config, name: str) -> dict[str, dict[str, object]]:
    model, shape = prebuilt(name).model_signal, tuple(config.config_file.input_shape)
    preprocessing, detection = config.preprocessing, config.bbd_options
    classes = None
    if model in ("CNN", "FCN") and preprocessing.HasField("categories"):
        classes = preprocessing.categories
    elif model == "BBD" and detection.HasField("number_classes"):
        classes = detection.number_classes
    return prebuilt_sections(name, shape or None, classes)


def _contradictions(config: Config, name: str) -> list[Violation]:
    model, given = prebuilt(name).model_signal, config.config_file.model_signal
    found = []
    if given and given != model:
        sentence = f"expected {model} because prebuilt is '{name}', got '{given}'; leave it out"
        found.append(Violation("config_file.model_signal", "CONTRADICTION", sentence))
    for field, layers in config.layers.ListFields():
        sentence = (
            f"expected no layers beside prebuilt '{name}', got {len(layers)}; leave out one or the "
            f"other (`dlae-client prebuilt show {name}` prints the layers)"
        )
        found.append(Violation(f"layers.{field.name}", "CONTRADICTION", sentence))
    return found


def _clear(message: Message, given: Message) -> None:
    """Clears the lists that are given: merging would append to them."""
    for field, value in given.ListFields():
        if field.is_repeated:
            message.ClearField(field.name)
        elif field.message_type:
            _clear(getattr(message, field.name), value)
