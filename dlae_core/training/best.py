"""The best epoch so far."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def watched(metrics: Mapping[str, float]) -> float:
    """Returns what the best epoch has least of: the validation loss, without validation the loss.

    Differs: without validation, DLAE 1.0 never saved a checkpoint (S4).
    """
    return metrics.get("val_loss", metrics["loss"])


class Best:
    """Remembers the lowest of the values it is shown.

    Attributes:
        epoch: Of the best one, from 1; 0 before there is one.
    """

    def __init__(self) -> None:
        self._value = math.inf
        self.epoch = 0

    def improves(self, epoch: int, value: float) -> bool:
        """Takes an epoch, from 1, into account; returns whether it is the best so far."""
        if not value < self._value:
            return False
        self._value, self.epoch = value, epoch
        return True

    def state(self) -> dict[str, float | None]:
        """Returns what to restore, as JSON values."""
        return {"epoch": self.epoch, "value": self._value if self.epoch else None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self.epoch = state["epoch"]
        self._value = state["value"] if self.epoch else math.inf


class BestWeights:
    """Keeps the weights of the best epoch in memory.

    Differs: DLAE 1.0 kept the last weights (S7).
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._best = Best()
        self._weights: list[NDArray[Any]] = []

    def epoch_finished(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Takes an epoch, from 1, into account."""
        if self._best.improves(epoch, watched(metrics)):
            self._weights = [np.array(weight) for weight in self._model.get_weights()]

    def put_back(self) -> int:
        """Gives the network its best weights; returns their epoch, from 1, 0 where none is best."""
        if self._best.epoch:
            self._model.set_weights(self._weights)
        return self._best.epoch

    def state(self) -> tuple[dict[str, float | None], Arrays]:
        """Returns what to restore: JSON values and arrays."""
        arrays = {f"best/{number:05d}": one for number, one in enumerate(self._weights)}
        return self._best.state(), arrays

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Goes on from a state."""
        self._best.restore(state)
        names = sorted(name for name in arrays if name.startswith("best/"))
        self._weights = [arrays[name] for name in names]
