"""The optimizers of a GAN are those that its texts name."""

import json
from typing import Any

import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import read_config, resolve_config
from dlae_core.optimization import LearningRate, build_optimizer, settings_of_adversary

pytestmark = pytest.mark.keras


def _config(**sections: dict[str, Any]) -> Config:
    reading = read_config(json.dumps(sections))
    assert reading.violations == ()
    return resolve_config(reading.config)


CONFIG = _config(
    optimizer={
        "optimizer": "Adagrad",
        "beta1": 0.1,
        "epsilon": 0.5,
        "discriminator_optimizer": "SGD:::::0.3",
        "gan_optimizer": "Adam:0.5:0.99:::None",
        "gradient_clip_norm": 2.0,
    },
    learning_rate_schedule={
        "learning_rate": 1.0,
        "decay_on_plateau_switch": True,
        "warm_up_length": 4,
        "warm_up_unit": "updates",
        "discriminator_learning_rate": "0.5:1.0",
        "gan_learning_rate": "0.25:0.0",
    },
)


def test_update_rules_are_those_named() -> None:
    discriminator, generator = (
        build_optimizer(settings_of_adversary(CONFIG, side)[0], 0.1)
        for side in ("discriminator", "gan")
    )
    assert type(discriminator) is keras.optimizers.SGD
    assert type(generator) is keras.optimizers.Adam
    settings = generator.get_config()
    assert (settings["beta_1"], settings["beta_2"]) == (0.5, 0.99)
    # None in the text, not the 0.5 of the section.
    assert settings["epsilon"] == 1e-7
    assert discriminator.global_clipnorm == generator.global_clipnorm == 2.0


def test_rates_and_decays_are_their_own_and_warm_up_is_shared() -> None:
    discriminator, generator = (
        LearningRate(settings_of_adversary(CONFIG, side)[1]) for side in ("discriminator", "gan")
    )
    assert [discriminator.rate(update, 0) for update in (0, 3, 9)] == [0.125, 0.125, 0.05]
    assert [generator.rate(update, 0) for update in (0, 3, 9)] == [0.0625, 0.25, 0.25]


def test_plateaus_do_not_act() -> None:
    rate = LearningRate(settings_of_adversary(CONFIG, "gan")[1])
    for _ in range(20):
        rate.epoch_finished(1.0)
    assert rate.rate(9, 0) == 0.25


def test_two_discriminators_move_alike_and_apart() -> None:
    rule = settings_of_adversary(CONFIG, "discriminator")[0]
    weights = [keras.Variable(np.ones(2)) for _ in range(2)]
    for optimizer, one in [(build_optimizer(rule, 0.1), one) for one in weights]:
        for _ in range(2):
            optimizer.apply([keras.ops.ones(2)], [one])
        assert int(optimizer.iterations) == 2
    np.testing.assert_array_equal(weights[0].numpy(), weights[1].numpy())


def test_the_configuration_itself_stays_as_it_is() -> None:
    settings_of_adversary(CONFIG, "gan")
    assert CONFIG.optimizer.optimizer == "Adagrad"
    assert CONFIG.optimizer.epsilon == 0.5
