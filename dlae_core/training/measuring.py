"""The metrics that suit a configuration."""

from dlae.v1.config_pb2 import Config
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.monitors import Monitors, Points, build_monitors


def monitors_of(config: Config, network: Network) -> Monitors:
    """Returns the monitors of a resolved and checked configuration."""
    family = family_of(config)
    return build_monitors(
        config.monitors,
        family.target_kind(config),
        per_pixel=family.per_pixel,
        classes=family.classes(config, network),
        points=_points(config),
    )


def _points(config: Config) -> Points | None:
    """Returns what the numbers of a regression are, where they are coordinates."""
    if config.preprocessing.annotation_type != "coordinates":
        return None
    return Points(axes=len(config.config_file.input_shape) - 1)
