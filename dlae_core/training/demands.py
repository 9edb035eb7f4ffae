"""Trouble that can be known before the first step."""

import shutil
from pathlib import Path

import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.config.file_pattern import EPOCH, fields_of
from dlae_core.errors import InvalidConfig, StorageFailed, Violation
from dlae_core.training.learning import Learner

PATTERN = "save_configurations.save_checkpoints_path"


def check_names(config: Config, learner: Learner, validates: bool) -> None:
    """Checks that the names of checkpoints hold metrics that there will be.

    Raises:
        InvalidConfig: One of them will not be there.
    """
    settings = config.save_configurations
    if not settings.save_checkpoints_switch:
        return
    monitors, judge = learner.monitors, learner.judge
    names = {"loss", *monitors.results(np.ones(monitors.size))}
    validated = names | set(judge.names if judge else ())
    known = names | {f"val_{name}" for name in validated if validates}
    for field in fields_of(settings.save_checkpoints_path):
        if field not in {EPOCH, *known}:
            sentence = (
                f"expected 'epoch' or a metric of this training ({', '.join(sorted(known))}), got "
                f"'{field}'"
            )
            raise InvalidConfig([Violation(PATTERN, "NO_SUCH_METRIC", sentence)])


def check_room(folder: Path, state_bytes: int) -> None:
    """Checks that two checkpoints and a model fit the disk.

    Raises:
        StorageFailed: They do not.
    """
    needed, free = 3 * state_bytes, shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFailed(
            f"expected {_shown(needed)} on the disk for checkpoints and model, found "
            f"{_shown(free)}; remove what is not needed, or train a smaller network"
        )


def _shown(nbytes: int) -> str:
    return f"{nbytes / 1e6:.0f} MB"
