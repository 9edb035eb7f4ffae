"""Trouble that can be known before the first step."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.config.file_pattern import EPOCH, fields_of
from dlae_core.errors import InvalidConfig, StorageFailed, Violation
from dlae_core.events import Warned
from dlae_core.training.learning import Learner

# Part of initial values that makes no difference.
NEGLIGIBLE = 1e-3
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


def lagging_statistics(model: keras.Model, updates: int) -> Iterator[Warned]:
    """Warns of a training too short for the moving averages that prediction normalizes by.

    After n updates they still hold `momentum^n` of their initial values, which compound from layer
    to layer: a deep network may then learn all there is and predict nothing.
    """
    kind = keras.layers.BatchNormalization
    momenta = [layer.momentum for layer in model.layers if isinstance(layer, kind)]
    slowest = max(momenta, default=0.0)
    if slowest**updates <= NEGLIGIBLE:
        return
    enough = math.ceil(math.log(NEGLIGIBLE) / math.log(slowest))
    message = (
        f"batch normalization with momentum {slowest:g} needs about {enough} updates before its "
        f"averages are those of the data, and there will be {updates}; until then predictions are "
        "worse than training says: train longer, in smaller batches, or lower the momentum"
    )
    yield Warned("FEW_UPDATES", message)
