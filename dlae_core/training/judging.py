"""What an epoch's validation says beside sums: the average precision of a detector's boxes."""

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.data.pipeline import Batch
from dlae_core.detection.average_precision import (
    COCO_OVERLAPS,
    average_precisions,
    mean_average_precision,
)
from dlae_core.detection.decoding import Decoder
from dlae_core.detection.suppression import Suppression
from dlae_core.graph import Network
from dlae_core.steps import Float64, Steps
from dlae_core.steps.detecting import DetectingSteps

# Boxes that overlap by more are the same, but for rounding: one that several anchors stand for.
_SAME = 0.99
_NO_LIMIT = 1 << 30
# Without objects there is nothing to miss.
_NOTHING_TO_FIND = 1.0


class Judge(Protocol):
    """Looks at the validation batches of an epoch.

    Attributes:
        names: Of the metrics that `results` returns.
    """

    names: tuple[str, ...]

    def evaluate(self, batch: Batch) -> Float64:
        """Returns what `Steps.evaluate` does, and remembers what `results` needs."""

    def results(self) -> dict[str, float]:
        """Returns metrics of all batches since the last call."""


class AveragePrecision:
    """Judges a detector by its boxes, as they are with the thresholds of `bbd_options`.

    `average_precision` is the mean over classes and overlaps from 0.5 to 0.95, as in COCO;
    `average_precision_50` is that at an overlap of 0.5.
    """

    names: tuple[str, ...] = ("average_precision", "average_precision_50")

    def __init__(self, steps: DetectingSteps, decoder: Decoder, classes: int) -> None:
        """Takes what turns images into boxes.

        Args:
            steps: Of the detector.
            decoder: Its decoder.
            classes: Kinds of object.
        """
        self._steps = steps
        self._decoder = decoder
        self._truth = truth_decoder(decoder)
        self._classes = classes
        self._found: list[NDArray[np.float32]] = []
        self._wanted: list[NDArray[np.float32]] = []

    def evaluate(self, batch: Batch) -> Float64:
        """Returns loss and sums of a batch; keeps its boxes."""
        sums, output = self._steps.evaluate_with_output(batch.images, batch.targets)
        for target, rows in zip(batch.targets, output, strict=True):
            # Validation has the same samples in the same order in every epoch.
            if len(self._found) == len(self._wanted):
                self._wanted.append(self._truth.boxes(target)[:, [0, 2, 3, 4, 5]])
            self._found.append(self._decoder.boxes(rows))
        return sums

    def results(self) -> dict[str, float]:
        """Returns average precisions of the batches since the last call."""
        values = average_precisions(self._found, self._wanted, self._classes, COCO_OVERLAPS)
        self._found.clear()
        return dict(zip(self.names, (_mean(values), _mean(values[:, :1])), strict=True))


def truth_decoder(decoder: Decoder) -> Decoder:
    """Returns what turns targets, which have the columns of outputs, into the boxes they are of."""
    return replace(decoder, confidence=0.5, suppression=Suppression(_SAME, _NO_LIMIT, 0))


def decoder_of(config: Config, network: Network) -> Decoder:
    """Returns the decoder of a detector."""
    rows, columns = network.model.input_shape[1:3]
    return Decoder.from_options(config.bbd_options, (rows, columns))


def judge_of(config: Config, network: Network, steps: Steps) -> Judge | None:
    """Returns who judges a network; None where sums say all."""
    if not isinstance(steps, DetectingSteps) or not config.monitors.average_precision_switch:
        return None
    return AveragePrecision(steps, decoder_of(config, network), config.bbd_options.number_classes)


def _mean(values: NDArray[Any]) -> float:
    mean = mean_average_precision(values)
    return _NOTHING_TO_FIND if np.isnan(mean) else mean
