"""Rates and stopping against the measured behaviour of DLAE 1.0 and closed forms."""

import json
import math
import re

import numpy as np
import pytest

from dlae.v1.config_pb2 import LearningRateSchedule
from dlae_core.config import read_config, resolve_config
from dlae_core.optimization import EarlyStopping, LearningRate
from tests.dlae_core.optimization.golden import schedules

pytestmark = pytest.mark.keras


def _schedule(**settings: object) -> LearningRateSchedule:
    reading = read_config(json.dumps({"learning_rate_schedule": settings}))
    assert reading.violations == ()
    return resolve_config(reading.config).learning_rate_schedule


def test_decay_counts_updates_as_1_0_did() -> None:
    for key, case in schedules()["decay"].items():
        rate, decay = map(float, re.fullmatch(r"lr([\d.]+)_decay([\d.]+)", key).groups())
        schedule = LearningRate(_schedule(learning_rate=rate, learning_rate_decay_factor=decay))
        measured = case["measured_lr_by_iteration"]
        ours = [schedule.rate(update, 0) for update in range(len(measured))]
        np.testing.assert_allclose(ours, measured, rtol=1e-6)


def test_plateaus_and_stopping_happen_in_the_epochs_of_1_0() -> None:
    cases = schedules()["plateau_and_early_stop"]
    assert cases
    for key, case in cases.items():
        patience, factor, stop = re.search(r"patience(\d+)_factor([\d.]+)_stop(\d+)", key).groups()
        schedule = LearningRate(
            _schedule(
                learning_rate=0.01,
                decay_on_plateau_switch=True,
                decay_on_plateau_factor=float(factor),
                decay_on_plateau_patience=int(patience),
            )
        )
        stopping, stopped, used = EarlyStopping(int(stop)), None, []
        for epoch, loss in enumerate(case["val_loss"]):
            used.append(schedule.rate(0, epoch))
            schedule.epoch_finished(loss)
            if stopping.epoch_finished(loss) and stopped is None:
                stopped = epoch
        np.testing.assert_allclose(used, case["lr_used_in_epoch"], rtol=1e-5, err_msg=key)
        assert stopped == case["early_stop_after_epoch_index"], key


def test_steps_multiply_with_decay_and_plateau() -> None:
    schedule = LearningRate(
        _schedule(
            learning_rate=1.0,
            learning_rate_decay_factor=1.0,
            step_decay_switch=True,
            step_decay_factor=0.5,
            step_decay_period=2,
            decay_on_plateau_switch=True,
            decay_on_plateau_factor=0.1,
            decay_on_plateau_patience=1,
        )
    )
    assert [schedule.rate(1, epoch) for epoch in range(5)] == [0.5, 0.5, 0.25, 0.25, 0.125]
    for _ in range(2):
        schedule.epoch_finished(1.0)
    assert schedule.rate(3, 4) == pytest.approx(1 / 4 * 0.25 * 0.1)


def test_without_validation_neither_plateau_nor_stopping_acts() -> None:
    schedule = LearningRate(_schedule(decay_on_plateau_switch=True, decay_on_plateau_patience=0))
    stopping = EarlyStopping(0)
    for _ in range(5):
        schedule.epoch_finished(None)
        assert not stopping.epoch_finished(None)
    assert schedule.rate(0, 5) == 0.0001


def test_a_plateau_does_not_reduce_the_rate_below_a_billionth_and_never_raises_it() -> None:
    for rate, expected in ((1e-8, 1e-9), (1e-12, 1e-12)):
        settings = {"decay_on_plateau_switch": True, "decay_on_plateau_patience": 1}
        schedule = LearningRate(_schedule(learning_rate=rate, **settings))
        assert schedule.rate(0, 0) == rate
        for _ in range(20):
            schedule.epoch_finished(1.0)
        assert schedule.rate(0, 0) == pytest.approx(expected)


@pytest.mark.parametrize(("length", "unit"), [(4, "updates"), (2, "epochs")])
def test_warm_up_rises_evenly_to_the_full_rate(length: int, unit: str) -> None:
    settings = _schedule(learning_rate=1.0, warm_up_length=length, warm_up_unit=unit)
    schedule = LearningRate(settings, steps=2)
    rates = [schedule.rate(update, update // 2) for update in range(6)]
    assert rates == [0.25, 0.5, 0.75, 1, 1, 1]


def test_cosine_falls_from_the_end_of_the_warm_up_to_its_floor() -> None:
    settings = _schedule(
        learning_rate=2.0,
        warm_up_length=1,
        cosine_decay_switch=True,
        cosine_decay_floor=0.1,
    )
    schedule = LearningRate(settings, steps=10, epochs=5)
    rates = [schedule.rate(update, update // 10) for update in range(51)]
    assert rates[:10] == pytest.approx([0.2 * (update + 1) for update in range(10)])
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * done / 40)) / 2 for done in range(41)]
    assert rates[10:] == pytest.approx([2 * factor for factor in expected])
    assert (rates[10], rates[30], rates[50]) == pytest.approx((2.0, 1.1, 0.2))
    # Beyond the end, as when training goes on, the rate stays at the floor.
    assert schedule.rate(80, 8) == pytest.approx(0.2)


def test_everything_that_is_switched_on_multiplies() -> None:
    settings = _schedule(
        learning_rate=1.0,
        learning_rate_decay_factor=0.5,
        step_decay_switch=True,
        step_decay_factor=0.5,
        step_decay_period=1,
        warm_up_length=4,
        warm_up_unit="updates",
        cosine_decay_switch=True,
        decay_on_plateau_switch=True,
        decay_on_plateau_factor=0.1,
        decay_on_plateau_patience=1,
    )
    schedule = LearningRate(settings, steps=4, epochs=3)
    for _ in range(2):
        schedule.epoch_finished(1.0)
    assert schedule.rate(2, 0) == pytest.approx(0.1 / 2 * 3 / 4)
    assert schedule.rate(8, 2) == pytest.approx(0.1 / 5 * 0.25 * 0.5)


def test_a_warm_up_that_outlasts_training_leaves_nothing_to_the_cosine() -> None:
    settings = _schedule(learning_rate=1.0, warm_up_length=9, cosine_decay_switch=True)
    schedule = LearningRate(settings, steps=2, epochs=3)
    assert [schedule.rate(update, 0) for update in range(6)] == pytest.approx(
        [(update + 1) / 18 for update in range(6)]
    )


def test_what_the_length_of_training_decides_needs_it() -> None:
    with pytest.raises(ValueError, match="updates per epoch"):
        LearningRate(_schedule(warm_up_length=1))
    with pytest.raises(ValueError, match="epochs for a cosine"):
        LearningRate(_schedule(cosine_decay_switch=True), steps=3)
