"""Settings of the schema that the engine does not act on yet, refused where they would matter.

Whoever builds one of them removes its row. A setting that nothing acts on and that has no row
here would be ignored in silence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.config.schema import sections, settings, value_of
from dlae_core.config.wording import shown
from dlae_core.errors import Violation

_WEIGHTED_LOSSES = ("categorical_crossentropy", "weighted_categorical_crossentropy")


def _always(config: Config) -> bool:
    return True


def _augmenting(config: Config) -> bool:
    return config.augmentation.apply_augmentation_switch


def _is_unweighted_loss(config: Config) -> bool:
    return config.loss_function.loss not in _WEIGHTED_LOSSES


@dataclass(frozen=True)
class _Limit:
    """One setting with the values that are supported while it acts."""

    section: str
    key: str
    supported: tuple[Any, ...]
    acts: Callable[[Config], bool] = _always


_LIMITS = (
    _Limit("config_file", "model_signal", ("CNN", "FCN")),
    _Limit("config_file", "type_signal", ("Train",)),
    _Limit("preprocessing", "weight_loss_switch", (False,), _is_unweighted_loss),
    _Limit("augmentation", "width_shift", (0.0,), _augmenting),
    _Limit("augmentation", "height_shift", (0.0,), _augmenting),
    _Limit("augmentation", "rotation_range", (0.0,), _augmenting),
    _Limit("augmentation", "brightness_range", (None, (1.0, 1.0)), _augmenting),
    _Limit("augmentation", "shear_range", (0.0,), _augmenting),
    _Limit("augmentation", "zoom_range", (0.0,), _augmenting),
    _Limit("augmentation", "channel_shift_range", (0.0,), _augmenting),
    _Limit("augmentation", "zca_epsilon", (None,), _augmenting),
    _Limit("training_configurations", "hardware", ("gpu", "cpu")),
    _Limit("training_configurations", "number_of_gpus", (1,)),
    _Limit("save_configurations", "save_checkpoints_switch", (False,)),
    _Limit("save_configurations", "save_tensorboard_switch", (False,)),
)


def unsupported_settings(config: Config) -> list[Violation]:
    """Returns the settings of a resolved configuration that would be ignored."""
    return [
        _violation(limit, value)
        for limit in _LIMITS
        if limit.acts(config) and (value := _value(config, limit)) not in limit.supported
    ]


def _value(config: Config, limit: _Limit) -> Any:
    section = sections()[limit.section]
    message = getattr(config, section.name)
    return value_of(message, settings(message.DESCRIPTOR)[limit.key])


def _violation(limit: _Limit, value: Any) -> Violation:
    supported = " or ".join(shown(item) for item in limit.supported)
    sentence = f"expected {supported}, got {shown(value)}, which is not supported yet"
    return Violation(f"{limit.section}.{limit.key}", "NOT_SUPPORTED_YET", sentence)
