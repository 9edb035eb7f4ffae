"""The learning rate over time."""

import math
from collections.abc import Mapping
from typing import Any

from dlae.v1.config_pb2 import LearningRateSchedule

# A plateau does not reduce the rate below this.
SMALLEST_RATE = 1e-9
# A smaller drop of the validation loss does not end a plateau.
SMALLEST_IMPROVEMENT = 1e-4


class LearningRate:
    """The learning rate of every update.

    All that is switched on multiplies, at update t and epoch e, both from 0:

    - `learning_rate`, times `decay_on_plateau_factor` for every plateau so far, at least 1e-9;
    - decay per update: `1 / (1 + decay t)`;
    - steps: `factor^floor(e / period)`;
    - warm-up of W updates: `(t + 1) / W`, at most 1;
    - cosine from the end of the warm-up to the end T of training:
      `floor + (1 - floor) (1 + cos(pi (t - W) / (T - W))) / 2`.

    Differs: DLAE 1.0 read the step decay and never used it (O4); warm-up and cosine are added.
    """

    def __init__(
        self, settings: LearningRateSchedule, steps: int | None = None, epochs: int | None = None
    ) -> None:
        """Makes a schedule.

        Args:
            settings: Resolved.
            steps: Updates per epoch; needed for a warm-up in epochs and for the cosine.
            epochs: Of the whole training; needed for the cosine.
        """
        self._settings = settings
        self._plateaued = settings.learning_rate
        self._best = float("inf")
        self._waited = 0
        self._cooldown = 0
        self._warm_up = _warm_up(settings, steps)
        self._end = _end(settings, steps, epochs)

    def rate(self, update: int, epoch: int) -> float:
        """Returns the rate of an update.

        Args:
            update: Updates done before, in the whole training.
            epoch: From 0.
        """
        settings = self._settings
        rate = self._plateaued / (1 + settings.learning_rate_decay_factor * update)
        if settings.step_decay_switch:
            rate *= settings.step_decay_factor ** (epoch // settings.step_decay_period)
        if update < self._warm_up:
            rate *= (update + 1) / self._warm_up
        return rate * self._cosine(update)

    def epoch_finished(self, validation_loss: float | None) -> None:
        """Reduces the rate where the validation loss has stalled for `patience` epochs.

        After a reduction, as many epochs pass before waiting begins again. As in Keras's
        ReduceLROnPlateau with `min_delta` 1e-4 and `cooldown` equal to `patience`.
        """
        if not self._settings.decay_on_plateau_switch or validation_loss is None:
            return
        patience = self._settings.decay_on_plateau_patience
        if self._cooldown > 0:
            self._cooldown -= 1
            self._waited = 0
        if validation_loss < self._best - SMALLEST_IMPROVEMENT:
            self._best, self._waited = validation_loss, 0
        elif self._cooldown <= 0:
            self._waited += 1
            if self._waited >= patience:
                self._reduce()
                self._cooldown, self._waited = patience, 0

    def state(self) -> dict[str, float | None]:
        """Returns all that changes in the course of a training, as JSON values."""
        return {
            "rate": self._plateaued,
            "best": None if math.isinf(self._best) else self._best,
            "waited": self._waited,
            "cooldown": self._cooldown,
        }

    def restore(self, state: Mapping[str, Any], same_rate: bool = True) -> None:
        """Goes on from a state.

        Args:
            state: As `state` returned it.
            same_rate: Whether `learning_rate` is still what it was; if not, it takes the place of
                the rate that plateaus have left.
        """
        if same_rate:
            self._plateaued = state["rate"]
        self._best = math.inf if state["best"] is None else state["best"]
        self._waited, self._cooldown = state["waited"], state["cooldown"]

    def _reduce(self) -> None:
        reduced = self._plateaued * self._settings.decay_on_plateau_factor
        self._plateaued = min(self._plateaued, max(reduced, SMALLEST_RATE))

    def _cosine(self, update: int) -> float:
        if self._end is None or update < self._warm_up:
            return 1.0
        done = (update - self._warm_up) / max(self._end - self._warm_up, 1)
        floor = self._settings.cosine_decay_floor
        return floor + (1 - floor) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def _warm_up(settings: LearningRateSchedule, steps: int | None) -> int:
    """Returns the length of the warm-up in updates."""
    if settings.warm_up_length == 0 or settings.warm_up_unit == "updates":
        return settings.warm_up_length
    if steps is None:
        raise ValueError("expected the updates per epoch for a warm-up in epochs, got none")
    return settings.warm_up_length * steps


def _end(settings: LearningRateSchedule, steps: int | None, epochs: int | None) -> int | None:
    """Returns the updates of the whole training where the cosine needs them."""
    if not settings.cosine_decay_switch:
        return None
    if steps is None or epochs is None:
        raise ValueError("expected updates per epoch and epochs for a cosine, got none")
    return steps * epochs
