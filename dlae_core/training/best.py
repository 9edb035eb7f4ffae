"""The best epoch so far."""

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dlae_core.steps import MODEL, Steps

Arrays = dict[str, NDArray[Any]]

# What names of the best weights begin with in a state.
_PREFIX = "best/"


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

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._best = Best()
        self._weights: Arrays = {}

    def epoch_finished(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Takes an epoch, from 1, into account."""
        if self._best.improves(epoch, watched(metrics)):
            arrays = self._steps.arrays().items()
            self._weights = {name: array.copy() for name, array in arrays if _is_of_network(name)}

    def put_back(self) -> int:
        """Gives the networks their best weights; returns their epoch, from 1; 0: none is best."""
        if self._best.epoch:
            self._steps.assign(self._weights, optimizer=False)
        return self._best.epoch

    def state(self) -> tuple[dict[str, float | None], Arrays]:
        """Returns what to restore: JSON values and arrays."""
        return self._best.state(), {f"{_PREFIX}{name}": one for name, one in self._weights.items()}

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Goes on from a state."""
        self._best.restore(state)
        self._weights = {
            name.removeprefix(_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(_PREFIX)
        }


def _is_of_network(name: str) -> bool:
    return name.startswith(MODEL)
