"""The metrics that suit a configuration."""

from dlae.v1.config_pb2 import Config
from dlae_core.data.normalization import RANGES
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.monitors import Monitors, Points, Range, build_monitors


def monitors_of(
    config: Config, network: Network, spacing: tuple[float, ...] | None = None
) -> Monitors:
    """Returns the monitors of a resolved and checked configuration.

    Args:
        config: The configuration.
        network: The one that predicts.
        spacing: Length of a pixel along each axis in mm; None: not known.
    """
    family = family_of(config)
    are_images = family.per_pixel and family.target_kind(config) == "values"
    return build_monitors(
        config.monitors,
        family.target_kind(config),
        per_pixel=family.per_pixel,
        classes=family.classes(config, network),
        points=_points(config, spacing),
        values=_range(config) if are_images else None,
    )


def _range(config: Config) -> Range:
    """Returns between which values normalized annotations lie, as far as that is known."""
    _, _, kind = config.preprocessing.normalization_type.partition("_")
    name, _, subjects = kind.partition("_")
    if subjects != "xy":
        return Range()
    low, high = RANGES[name]
    return Range(high - low)


def _points(config: Config, spacing: tuple[float, ...] | None) -> Points | None:
    """Returns what the numbers of a regression are, where they are coordinates."""
    if config.preprocessing.annotation_type != "coordinates":
        return None
    return Points(len(config.config_file.input_shape) - 1, spacing)
