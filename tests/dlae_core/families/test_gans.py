"""pix2pix and cycleGAN: which networks there are, and how they are wired for training."""

from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.families import cyclegan, pix2pix
from dlae_core.families.cyclegan import CycleGan
from dlae_core.families.pix2pix import Pix2Pix
from tests.dlae_core.families.configurations import IMAGE, JUDGE, TRANSLATION, gan

pytestmark = pytest.mark.keras

SOURCE = "Input:(8, 8, 2)"
GENERATOR_PATH, DISCRIMINATOR_PATH = (
    "layers.generator_layer_list",
    "layers.discriminator_layer_list",
)


def _images(channels: int, seed: int) -> Any:
    return keras.random.normal((2, 8, 8, channels), seed=seed)


def test_discriminator_of_pix2pix_sees_the_target_first() -> None:
    config = gan("pix2pix", [SOURCE, "Convolution 2D:1:1"], [IMAGE, "Convolution 2D:1:1"])
    generator, discriminator = Pix2Pix().networks(config)
    assert (generator.model.name, discriminator.model.name) == ("generator", "discriminator")
    kernel, _ = discriminator.model.weights
    kernel.assign(np.reshape([1.0, 10.0, 100.0], kernel.shape))
    target, source = _images(1, 1), _images(2, 2)
    expected = target + 10 * source[..., :1] + 100 * source[..., 1:]
    np.testing.assert_allclose(
        discriminator.model([target, source]), expected, rtol=1e-4, atol=1e-4
    )


def test_backbone_of_the_discriminator_takes_both_images() -> None:
    judge = ["Input:(32, 32, 1)", "MobileNet:False:none:(32, 32, 1)", "Convolution 2D:1"]
    config = gan("pix2pix", ["Input:(32, 32, 2)", "Convolution 2D:1"], judge)
    _, discriminator = Pix2Pix().networks(config)
    first = next(weight for weight in discriminator.model.weights if len(weight.shape) == 4)
    assert first.shape[2] == 3
    assert discriminator.output_shape == (1, 1, 1)


def test_hooks_of_a_discriminator_change_nothing() -> None:
    hooked = [*JUDGE[:2], "Hook connection source", *JUDGE[2:]]
    for judge in (JUDGE, hooked):
        _, discriminator = Pix2Pix().networks(gan("pix2pix", TRANSLATION, judge))
        assert discriminator.model.count_params() == 9 * 2 * 4 + 4 + 9 * 4 + 1


def test_combined_pix2pix_judges_what_the_generator_makes() -> None:
    config = gan("pix2pix", [SOURCE, *TRANSLATION[1:]], JUDGE)
    generator, discriminator = (network.model for network in Pix2Pix().networks(config))
    target, source = _images(1, 1), _images(2, 2)
    judged, made = pix2pix.combined(generator, discriminator)([target, source])
    np.testing.assert_allclose(made, generator(source), atol=1e-6)
    np.testing.assert_allclose(judged, discriminator([generator(source), source]), atol=1e-6)


def test_networks_of_cyclegan_have_weights_of_their_own() -> None:
    models = [n.model for n in CycleGan().networks(gan("cyclegan", TRANSLATION, JUDGE))]
    names = ["generator1", "generator2", "discriminator1", "discriminator2"]
    assert [model.name for model in models] == names
    assert [model.input_shape for model in models] == [(None, 8, 8, 1)] * 4
    assert not np.allclose(models[0].weights[0], models[1].weights[0])
    assert len({id(weight) for model in models for weight in model.weights}) == 4 * 4


def test_combined_cyclegan_has_its_outputs_in_order() -> None:
    models = [n.model for n in CycleGan().networks(gan("cyclegan", TRANSLATION, JUDGE))]
    to_y, to_x, judge_x, judge_y = models
    x, y = _images(1, 1), _images(1, 2)
    expected = [
        judge_x(to_x(y)),
        judge_y(to_y(x)),
        to_x(to_y(x)),
        to_y(to_x(y)),
        to_x(x),
        to_y(y),
    ]
    for found, wanted in zip(cyclegan.combined(models)([x, y]), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("loss", ["pix2pix", "cyclegan"])
def test_networks_that_do_not_suit_each_other_are_violations(loss: str) -> None:
    family = {"pix2pix": Pix2Pix(), "cyclegan": CycleGan()}[loss]
    config = gan(loss, [*TRANSLATION[:-2], "Convolution 2D:3"], [*JUDGE[:-1], "Convolution 2D:2"])
    found = family.violations(config, family.networks(config))
    assert [(row.path, row.reason) for row in found] == [
        (GENERATOR_PATH, "OUTPUT_SHAPE"),
        (DISCRIMINATOR_PATH, "OUTPUT_SHAPE"),
    ]
    right = gan(loss, TRANSLATION, JUDGE)
    assert family.violations(right, family.networks(right)) == []


def test_repeated_channels_must_divide_those_of_the_generator() -> None:
    config = gan("pix2pix", [SOURCE, *TRANSLATION[1:]], JUDGE)
    config.preprocessing.repeat_x_switch = True
    family = Pix2Pix()
    found = family.violations(config, family.networks(config))
    assert [row.path for row in found] == [f"{GENERATOR_PATH}[0].shape"]
    assert family.image_shape(gan("pix2pix", [SOURCE, *TRANSLATION[1:]], JUDGE)) == (8, 8, 2)
