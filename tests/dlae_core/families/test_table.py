"""The table of families, and that the networks of each can learn."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import LISTS_OF_MODELS
from dlae_core.families import cyclegan, pix2pix
from dlae_core.families.table import FAMILIES, SUPERVISED, family_of
from tests.dlae_core.families.configurations import (
    JUDGE,
    PER_IMAGE,
    PER_PIXEL,
    TRANSLATION,
    detector,
    gan,
    supervised,
)

pytestmark = pytest.mark.keras

CONFIGURATIONS: dict[str, Config] = {
    "CNN": supervised("CNN", PER_IMAGE),
    "FCN": supervised("FCN", PER_PIXEL),
    "BBD": detector(),
    "pix2pix": gan("pix2pix", TRANSLATION, JUDGE),
    "cyclegan": gan("cyclegan", TRANSLATION, JUDGE),
}
# How networks are joined where several are trained together.
JOINED: dict[str, Callable[[Sequence[keras.Model]], keras.Model]] = {
    "pix2pix": lambda models: pix2pix.combined(*models),
    "cyclegan": cyclegan.combined,
}


def test_every_family_has_a_configuration() -> None:
    assert set(CONFIGURATIONS) == set(FAMILIES)


def test_every_kind_of_model_has_a_family() -> None:
    kinds = {config.config_file.model_signal for config in CONFIGURATIONS.values()}
    assert kinds == set(LISTS_OF_MODELS)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_family_is_found_and_its_networks_suit_it(name: str) -> None:
    config = CONFIGURATIONS[name]
    family = family_of(config)
    assert family.name == name
    networks = family.networks(config)
    assert family.violations(config, networks) == []
    assert family.warnings(config, networks) == []
    assert len({network.model.name for network in networks}) == len(networks)
    assert (networks[0].model.name == "model") == (name in (*SUPERVISED, "BBD"))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_gradients_reach_every_weight(name: str) -> None:
    config = CONFIGURATIONS[name]
    keras.utils.set_random_seed(1)
    models = [network.model for network in family_of(config).networks(config)]
    model = JOINED.get(name, lambda only: only[0])(models)
    draw = np.random.default_rng(1)
    images = [draw.normal(size=(2, *entry.shape[1:])).astype("float32") for entry in model.inputs]
    with tf.GradientTape() as tape:
        outputs = model(images if len(images) > 1 else images[0], training=True)
        targets = [draw.normal(size=output.shape) for output in tf.nest.flatten(outputs)]
        errors = [
            tf.reduce_mean((output - target) ** 2)
            for output, target in zip(tf.nest.flatten(outputs), targets, strict=True)
        ]
        loss = tf.add_n(errors)
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient), variable.path
