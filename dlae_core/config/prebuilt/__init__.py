"""Prebuilt networks: the 61 that DLAE 1.0 shipped as files, as recipes. Imports no Keras."""

from dlae_core.config.prebuilt.catalogue import (
    Prebuilt,
    prebuilt,
    prebuilt_names,
    prebuilt_sections,
)
from dlae_core.config.prebuilt.expand import expand_prebuilt

__all__ = ["Prebuilt", "expand_prebuilt", "prebuilt", "prebuilt_names", "prebuilt_sections"]
