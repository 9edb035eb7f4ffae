"""The configuration: read, complete, check and write what defines a session. Imports no Keras."""

from dlae_core.config.check import Findings, Loaded, check_config, load_config
from dlae_core.config.read import Reading, read_config
from dlae_core.config.resolve import Completion, Origin, complete_config, resolve_config
from dlae_core.config.write import write_config

__all__ = [
    "Completion",
    "Findings",
    "Loaded",
    "Origin",
    "Reading",
    "check_config",
    "complete_config",
    "load_config",
    "read_config",
    "resolve_config",
    "write_config",
]
