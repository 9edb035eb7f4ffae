"""Defaults: a configuration with everything that was left out filled in."""

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_text import fill_layer
from dlae_core.config.parts import fill_defaults
from dlae_core.config.schema import sections, settings_of, value_of


def resolve_config(config: Config) -> Config:
    """Returns a copy with every default filled in, layers included.

    The input shape is taken from the first `Input` layer where it is not given. Settings without
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


def _all_layers(config: Config) -> list[Layer]:
    return [
        layer
        for row in settings_of(config.layers).values()
        for layer in value_of(config.layers, row) or ()
    ]


def _shape_of_input(config: Config) -> list[int]:
    for layers in (config.layers.serial_layer_list, config.layers.generator_layer_list):
        if layers and layers[0].WhichOneof("type") == "input":
            return list(layers[0].input.shape)
    return []
