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

MODEL = "config_file.model_signal"
HARDWARE = "training_configurations.hardware"
JIT_COMPILE = "training_configurations.jit_compile_switch"


@dataclass(frozen=True)
class _Limit:
    """One setting with the values that are supported.

    Attributes:
        path: Place of the setting.
        supported: Its values that are supported.
    """

    path: str
    supported: tuple[Any, ...]


_LIMITS = (_Limit(MODEL, ("CNN", "FCN", "GAN", "BBD")),)


def _beyond(limit: _Limit, config: Config) -> Iterator[Violation]:
    value = _value(config, limit.path)
    if value not in limit.supported:
        supported = " or ".join(shown(item) for item in limit.supported)
        sentence = f"expected {supported}, got {shown(value)}, which is not supported yet"
        yield Violation(limit.path, "NOT_SUPPORTED_YET", sentence)


def _several_devices(config: Config) -> Iterator[Violation]:
    """What trains on one device only.

    Differs: DLAE 1.0 trained GANs on one device whatever the hardware says (N7).
    """
    settings = config.training_configurations
    if settings.hardware != "multi-gpu":
        return
    if config.config_file.model_signal == "GAN":
        sentence = (
            "expected 'gpu' or 'cpu' because model_signal is 'GAN', got 'multi-gpu'; GANs train on "
            "one device"
        )
        yield Violation(HARDWARE, "NOT_SUPPORTED_YET", sentence)
    if settings.jit_compile_switch:
        sentence = "expected False because hardware is 'multi-gpu', got True"
        yield Violation(JIT_COMPILE, "NOT_SUPPORTED_YET", sentence)


def _value(config: Config, path: str) -> Any:
    name, _, key = path.partition(".")
    section = sections()[name]
    message = getattr(config, section.name)
    return value_of(message, settings(message.DESCRIPTOR)[key])


# What finds the settings of a resolved configuration that would be ignored.
UNSUPPORTED = (
    *(Rule((limit.path,), partial(_beyond, limit)) for limit in _LIMITS),
    Rule((loss_rules.LOSS, loss_rules.SWITCH), loss_rules.one_hot_files),
    Rule((MODEL, HARDWARE), _several_devices),
)
