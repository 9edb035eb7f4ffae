"""The layer language: strings to messages and back. Imports no Keras."""

from dlae_core.config.layer_text import (
    LayerSyntaxError,
    format_layer,
    layer_name,
    layer_names,
    parse_layer,
)

__all__ = ["LayerSyntaxError", "format_layer", "layer_name", "layer_names", "parse_layer"]
