"""Settings of the schema that the engine does not act on yet, refused where they would matter.

Whoever builds one of them removes its row. A setting that nothing acts on and that has no row
here would be ignored in silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.config import loss_rules
from dlae_core.config.rule import Rule
from dlae_core.config.schema import sections, settings, value_of
from dlae_core.config.wording import shown
from dlae_core.errors import Violation


@dataclass(frozen=True)
class _Limit:
    """One setting with the values that are supported.

    Attributes:
        path: Place of the setting.
        supported: Its values that are supported.
    """

    path: str
    supported: tuple[Any, ...]


_LIMITS = (
    _Limit("config_file.model_signal", ("CNN", "FCN", "GAN", "BBD")),
    _Limit("training_configurations.hardware", ("gpu", "cpu")),
)


def _beyond(limit: _Limit, config: Config) -> Iterator[Violation]:
    value = _value(config, limit.path)
    if value not in limit.supported:
        supported = " or ".join(shown(item) for item in limit.supported)
        sentence = f"expected {supported}, got {shown(value)}, which is not supported yet"
        yield Violation(limit.path, "NOT_SUPPORTED_YET", sentence)


def _value(config: Config, path: str) -> Any:
    name, _, key = path.partition(".")
    section = sections()[name]
    message = getattr(config, section.name)
    return value_of(message, settings(message.DESCRIPTOR)[key])


# What finds the settings of a resolved configuration that would be ignored.
UNSUPPORTED = (
    *(Rule((limit.path,), partial(_beyond, limit)) for limit in _LIMITS),
    Rule((loss_rules.LOSS, loss_rules.SWITCH), loss_rules.one_hot_files),
)
