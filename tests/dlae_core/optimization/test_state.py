"""What changes in the course of a training comes back from its state."""

import json

import pytest

from dlae.v1.config_pb2 import LearningRateSchedule
from dlae_core.optimization import EarlyStopping, LearningRate

pytestmark = pytest.mark.keras

# Improves, stalls, improves too little, rises.
LOSSES = [1.0, 0.9, 0.9, 0.9, 0.89995, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]


def _schedule(rate: float = 0.1) -> LearningRateSchedule:
    return LearningRateSchedule(
        learning_rate=rate,
        decay_on_plateau_switch=True,
        decay_on_plateau_factor=0.5,
        decay_on_plateau_patience=2,
    )


@pytest.mark.parametrize("epoch", range(len(LOSSES)))
def test_rate_and_stopping_go_on_from_a_state_as_if_nothing_had_been(epoch: int) -> None:
    rate, stopping = LearningRate(_schedule()), EarlyStopping(4)
    for loss in LOSSES[:epoch]:
        rate.epoch_finished(loss)
        stopping.epoch_finished(loss)
    again, still = LearningRate(_schedule()), EarlyStopping(4)
    again.restore(json.loads(json.dumps(rate.state())))
    still.restore(json.loads(json.dumps(stopping.state())))
    for loss in LOSSES[epoch:]:
        assert again.rate(0, 0) == rate.rate(0, 0)
        assert stopping.epoch_finished(loss) == still.epoch_finished(loss)
        rate.epoch_finished(loss)
        again.epoch_finished(loss)
    assert again.state() == rate.state()
    assert rate.rate(0, 0) < 0.1


def test_another_rate_takes_the_place_of_what_plateaus_have_left() -> None:
    rate = LearningRate(_schedule())
    for loss in LOSSES:
        rate.epoch_finished(loss)
    again = LearningRate(_schedule(0.3))
    again.restore(rate.state(), same_rate=False)
    assert again.rate(0, 0) == 0.3
    assert again.state() | {"rate": 0} == rate.state() | {"rate": 0}
