"""Preparations of small configurations, for tests."""

import json
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config
from dlae_core.data.inspection import Expectation
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.preparation import Preparation
from dlae_core.data.targets import TargetKind
from dlae_core.data.transforms import Variation

Shape = tuple[int, ...]


def config_of(shape: Shape, **settings: Any) -> Config:
    """Returns a resolved configuration whose `Input` has a shape.

    Args:
        shape: (*space, channels) as the network takes them.
        settings: Values by `section__key`, such as `augmentation__zoom_range=0.1`.
    """
    sections: dict[str, dict[str, Any]] = {
        "config_file": {"model_signal": "FCN"},
        "layers": {"serial_layer_list": [f"Input:{shape}"]},
    }
    for place, value in settings.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    return resolve_config(read_config(json.dumps(sections)).config)


def preprocessing_of(
    shape: Shape, statistics: Statistics | None = None, **settings: Any
) -> Preprocessing:
    """Returns the preprocessing of such a configuration."""
    return Preprocessing.from_config(config_of(shape, **settings), statistics or Statistics())


def preparation_of(
    shape: Shape, kind: TargetKind, target: Shape, classes: int = 0, **settings: Any
) -> Preparation:
    """Returns a preparation.

    Args:
        shape: Of the images, (*space, channels).
        kind: What the loss compares.
        target: Shape of an annotation as the loss takes it, without classes.
        classes: Number of classes; 0: values.
        settings: As those of `config_of`. Augmentation is on unless they say otherwise, and
            intensities are not normalized.
    """
    given = {
        "augmentation__apply_augmentation_switch": True,
        "preprocessing__normalization_type": "none",
        **settings,
    }
    config = config_of(shape, **given)
    return Preparation(
        preprocessing=Preprocessing.from_config(config, Statistics()),
        expected=Expectation(shape, target, classes),
        target_kind=kind,
        variation=Variation.from_config(config.augmentation),
        per_pixel=config.config_file.model_signal == "FCN",
        annotation_type=config.preprocessing.annotation_type,
    )
