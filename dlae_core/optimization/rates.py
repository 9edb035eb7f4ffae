"""The learning rates of all optimizers of a training."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlae.v1.config_pb2 import LearningRateSchedule
from dlae_core.optimization.learning_rate import LearningRate


class Rates:
    """One learning rate per optimizer, each with a schedule of its own."""

    def __init__(
        self,
        schedules: Sequence[LearningRateSchedule],
        steps: int | None = None,
        epochs: int | None = None,
    ) -> None:
        """Makes the schedules; see `LearningRate`."""
        self._rates = [LearningRate(schedule, steps, epochs) for schedule in schedules]

    def of(self, update: int, epoch: int) -> tuple[float, ...]:
        """Returns the rates of an update, from 0, in an epoch, from 0."""
        return tuple(rate.rate(update, epoch) for rate in self._rates)

    def epoch_finished(self, validation_loss: float | None) -> None:
        """Takes an epoch into account."""
        for rate in self._rates:
            rate.epoch_finished(validation_loss)

    def state(self) -> list[dict[str, float | None]]:
        """Returns all that changes in the course of a training, as JSON values."""
        return [rate.state() for rate in self._rates]

    def restore(self, states: Sequence[Mapping[str, Any]], same_rate: bool = True) -> None:
        """Goes on from a state; see `LearningRate.restore`."""
        for rate, state in zip(self._rates, states, strict=True):
            rate.restore(state, same_rate)
