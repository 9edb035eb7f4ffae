"""Shapes, weights and hooks of the prebuilt networks, and the images that suit them."""

from functools import cache

import pytest

from dlae_core.config.prebuilt import prebuilt, prebuilt_names, prebuilt_sections
from dlae_core.config.prebuilt.sides import Sides
from dlae_core.errors import InvalidConfig
from tests.dlae_core.config.prebuilt.tracing import layers_of, trace

_layers = cache(layers_of)

# Appendix A of the specification.
SERIAL = {
    "alexnet": ((), 1000, 131828776),
    "lenet5": ((), 10, 107874),
    "densenet121": ((), 1000, 8056232),
    "resnet50": ((), 1000, 25630440),
    "vgg16": ((), 1000, 572466856),
    "densenet121_unet": ((512, 512), 2, 74353354),
    "inceptionv3_unet": ((512, 512), 2, 97086954),
    "resnet50_unet": ((512, 512), 2, 105059338),
    "resnet50v2_unet": ((512, 512), 2, 99285898),
    "unet2d": ((512, 512), 2, 34540682),
    "unet3d": ((128, 128, 64), 2, 103553546),
    "vgg16_unet": ((512, 512), 2, 63264202),
    "xception_unet": ((512, 512), 2, 103297266),
}
SSD_HOOKS = [(64, 512), (30, 1024), (15, 512), (8, 256), (4, 256), (2, 256), (1, 256)]
VGG16_HOOKS = [(512, 64), (256, 128), (128, 256), (64, 512), (32, 512)]
MOBILENET_HOOKS = [(256, 64), (128, 128), (64, 256), (32, 512), (16, 1024)]


@pytest.mark.parametrize("name", SERIAL)
def test_networks_have_the_outputs_and_weights_of_the_specification(name: str) -> None:
    found = trace(_layers(name), prebuilt(name).input_shape[:-1])
    assert (found.space, found.channels, found.parameters) == SERIAL[name]


@pytest.mark.parametrize("name", [n for n in prebuilt_names() if n.endswith("_unet")])
def test_every_unet_gives_as_many_pixels_as_it_takes_and_meets_all_five_levels(name: str) -> None:
    found = trace(_layers(name), (256, 448))
    assert found.fits
    assert (found.space, found.channels, found.skips) == ((256, 448), 2, [])


@pytest.mark.parametrize(
    ("name", "source_channels", "discriminator"),
    [("pix2pix", 1, 2767297), ("cyclegan", 0, 2766273)],
)
def test_gans_have_the_outputs_and_weights_of_the_specification(
    name: str, source_channels: int, discriminator: int
) -> None:
    found = trace(_layers(name, "generator_layer_list"), (512, 512))
    assert (found.space, found.channels, found.parameters) == ((512, 512), 1, 41837185)
    critics = _layers(name, "discriminator_layer_list")
    found = trace(critics, (512, 512), 1 + source_channels)
    assert (found.space, found.channels, found.parameters) == ((32, 32), 1, discriminator)


@pytest.mark.parametrize(
    ("name", "hooks", "trunk"),
    [
        ("ssd", SSD_HOOKS, 31888320),
        ("vgg16_ssd", VGG16_HOOKS, 14713536),
        ("mobilenet_ssd", MOBILENET_HOOKS, 3228288),
    ],
)
def test_detectors_have_the_hooks_and_weights_of_the_specification(
    name: str, hooks: list[tuple[int, int]], trunk: int
) -> None:
    found = trace(_layers(name), (512, 512))
    assert (found.hooks, found.parameters) == (hooks, trunk)


@pytest.mark.parametrize("name", [n for n in prebuilt_names() if n.endswith("ssd")])
def test_every_hook_has_a_list_of_aspect_ratios(name: str) -> None:
    options = prebuilt_sections(name)["bbd_options"]
    assert len(options["aspect_ratios"]) == len(trace(_layers(name), (512, 512)).hooks)


def _fits(name: str, side: int) -> bool:
    """Returns whether a square image passes, and comes out as large from FCN and GAN."""
    about = prebuilt(name)
    translates = about.model_signal in ("FCN", "GAN")
    key = "generator_layer_list" if about.model_signal == "GAN" else "serial_layer_list"
    space = (side,) * (len(about.input_shape) - 1)
    found = trace(_layers(name, key), space)
    return found.fits and (not translates or found.space == space)


def _allowed(name: str, side: int) -> bool:
    axes = len(prebuilt(name).input_shape) - 1
    try:
        prebuilt_sections(name, (*(side,) * axes, 1))
    except InvalidConfig:
        return False
    return True


@pytest.mark.parametrize(
    "name", ["lenet5", "alexnet", "unet2d", "unet3d", "pix2pix", "cyclegan", "ssd"]
)
def test_exactly_the_sides_that_fit_are_allowed(name: str) -> None:
    wrong = [side for side in range(1, 420) if _allowed(name, side) != _fits(name, side)]
    assert wrong == []


@pytest.mark.parametrize("name", [n for n in prebuilt_names() if n.endswith("_unet")])
def test_unets_on_backbones_take_the_multiples_of_32_that_fit(name: str) -> None:
    # At other sides the levels of some backbones are padded to sizes that do not halve.
    sides = range(32, 420, 32)
    assert [s for s in sides if _allowed(name, s)] == [s for s in sides if _fits(name, s)]
    assert not any(_allowed(name, side) for side in range(1, 420) if side % 32)


@pytest.mark.parametrize("side", range(1, 300, 7))
def test_the_nearest_side_is_allowed_and_none_is_nearer(side: int) -> None:
    rule = Sides(multiple=16, at_least=40)
    allowed = [number for number in range(400) if number % 16 == 0 and number >= 40]
    assert abs(rule.nearest(side) - side) == min(abs(number - side) for number in allowed)
    assert rule.nearest(side) in allowed
