"""When to stop training early."""

import math
from collections.abc import Mapping
from typing import Any


class EarlyStopping:
    """Stops training after `patience` epochs in which the validation loss did not fall."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._best = math.inf
        self._waited = 0

    def epoch_finished(self, validation_loss: float | None) -> bool:
        """Returns whether to stop. Without a validation loss training goes on."""
        if validation_loss is None:
            return False
        if validation_loss < self._best:
            self._best, self._waited = validation_loss, 0
            return False
        self._waited += 1
        return self._waited >= self._patience

    def state(self) -> dict[str, float | None]:
        """Returns all that changes in the course of a training, as JSON values."""
        best = None if math.isinf(self._best) else self._best
        return {"best": best, "waited": self._waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, as `state` returned it."""
        self._best = math.inf if state["best"] is None else state["best"]
        self._waited = state["waited"]
