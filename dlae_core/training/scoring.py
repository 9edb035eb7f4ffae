"""How well an engine does on validation samples, by what matters to the family of its model."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae.v1.config_pb2 import Monitors as MonitorSettings
from dlae_core.data.pipeline import Batch
from dlae_core.detection.average_precision import (
    COCO_OVERLAPS,
    average_precisions,
    mean_average_precision,
)
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.monitors import build_monitors
from dlae_core.training.judging import decoder_of, truth_decoder

Float32 = NDArray[np.float32]

# What counts, where it can be measured: all of the first row that can be.
_MEASURES = (("dice",), ("accuracy", "auc"), ("mean_absolute_error",))
# Of these less is better.
ERRORS = ("mean_absolute_error", "mean_absolute_difference")


class Score(Protocol):
    """Looks at outputs for batches of validation samples."""

    def add(self, batch: Batch, output: Float32, expected: Float32) -> None:
        """Takes the output for a batch into account.

        Args:
            batch: The samples.
            output: Of the engine that is judged, float32 (count, ...).
            expected: What the model gives in float32.
        """

    def results(self) -> dict[str, float]:
        """Returns what was measured, by name."""


def score_of(config: Config, network: Network) -> Score:
    """Returns a new score for a model, by the measure that suits it.

    That is the Dice coefficient, accuracy and area under the curve, average precision or the mean
    absolute error. Where nothing says what is true, of images X that have no y, it is the mean
    absolute difference from the output in float32, as a part of its mean size.
    """
    if family_of(config).expectation(config, network).boxes:
        return _Boxes(config, network)
    if config.training_configurations.unpaired_switch:
        return _Difference()
    return _Sums(config, network)


def losses_beyond(
    tolerance: float, before: Mapping[str, float], after: Mapping[str, float]
) -> list[str]:
    """Returns sentences on all that is worse than it was by more than is tolerated.

    Args:
        tolerance: By how much scores may fall, or by what part of it an error may rise.
        before: Measured in float32.
        after: The same measured in another precision.
    """
    found = []
    for name, old in before.items():
        new = after[name]
        is_error = name in ERRORS
        worse = (new - old) / (old or 1.0) if is_error else old - new
        # Written so that NaN is refused.
        if not worse <= tolerance:
            words = name.replace("_", " ")
            change = "rises" if is_error else "falls"
            limit = f"{tolerance:g} of it" if is_error and old else f"{tolerance:g}"
            found.append(f"its {words} {change} from {old:.4f} to {new:.4f}, by more than {limit}")
    return found


class _Sums:
    """The metrics of training."""

    def __init__(self, config: Config, network: Network) -> None:
        family = family_of(config)
        self._monitors = build_monitors(
            MonitorSettings(accuracy_switch=True, auc_switch=not family.per_pixel, mae_switch=True),
            family.target_kind(config),
            per_pixel=family.per_pixel,
            classes=family.classes(config, network),
        )
        self._total = np.zeros(self._monitors.size)

    def add(self, batch: Batch, output: Float32, expected: Float32) -> None:
        self._total += np.asarray(self._monitors.sums(batch.targets, output), np.float64)

    def results(self) -> dict[str, float]:
        values = self._monitors.results(self._total)
        row = next(row for row in _MEASURES if row[0] in values)
        return {name: values[name] for name in row if name in values}


class _Boxes:
    """The average precision of boxes, as in COCO."""

    def __init__(self, config: Config, network: Network) -> None:
        self._decoder = decoder_of(config, network)
        self._truth = truth_decoder(self._decoder)
        self._classes = config.bbd_options.number_classes
        self._found: list[Float32] = []
        self._wanted: list[Float32] = []

    def add(self, batch: Batch, output: Float32, expected: Float32) -> None:
        for target, rows in zip(batch.targets, output, strict=True):
            self._wanted.append(self._truth.boxes(target)[:, [0, 2, 3, 4, 5]])
            self._found.append(self._decoder.boxes(rows))

    def results(self) -> dict[str, float]:
        values = average_precisions(self._found, self._wanted, self._classes, COCO_OVERLAPS)
        mean = mean_average_precision(values)
        # Without objects there is nothing to miss.
        return {"average_precision": 1.0 if np.isnan(mean) else float(mean)}


class _Difference:
    """The mean absolute difference from the output in float32, as a part of its mean size."""

    def __init__(self) -> None:
        self._differences = self._sizes = 0.0

    def add(self, batch: Batch, output: Float32, expected: Float32) -> None:
        self._differences += float(np.abs(output - expected).sum(dtype=np.float64))
        self._sizes += float(np.abs(expected).sum(dtype=np.float64))

    def results(self) -> dict[str, float]:
        return {"mean_absolute_difference": self._differences / (self._sizes or 1.0)}
