"""Intensities that vary, and what all draws of a sample have in common."""

import numpy as np
import pytest

from dlae_core.data.transforms import Variation
from dlae_core.data.transforms.brightness import Brightness
from dlae_core.data.transforms.channel_shift import ChannelShift
from dlae_core.data.transforms.geometry import Geometry
from dlae_core.data.transforms.rotation import Rotation
from tests.dlae_core.data.preparing import config_of

SHAPE = (6, 7, 3)


def _random() -> np.random.Generator:
    return np.random.default_rng(11)


def test_brightness_is_one_factor_of_its_range() -> None:
    random, brightness = _random(), Brightness(0.5, 1.25)
    factors = [brightness.draw(random) for _ in range(2000)]
    assert min(factors) >= 0.5
    assert max(factors) <= 1.25
    assert np.ptp(factors) > 0.74
    image = random.random(SHAPE, np.float32)
    variation = Variation(brightness=brightness)
    draw = variation.draw(random, SHAPE)
    varied = variation.intensities(image, draw)
    assert varied.dtype == np.float32
    np.testing.assert_allclose(varied / image, draw.factor, rtol=1e-6)


def test_every_channel_has_an_offset_of_its_own() -> None:
    random, shift = _random(), ChannelShift(20)
    offsets = np.array([shift.draw(random, 3) for _ in range(2000)])
    assert np.abs(offsets).max() <= 20
    assert (np.ptp(offsets, axis=0) > 39).all()
    assert np.abs(np.corrcoef(offsets.T) - np.eye(3)).max() < 0.1
    image = random.random(SHAPE, np.float32)
    variation = Variation(channel_shift=shift)
    draw = variation.draw(random, SHAPE)
    varied = variation.intensities(image, draw)
    assert varied.dtype == np.float32
    np.testing.assert_allclose((varied - image).mean((0, 1)), draw.offsets, atol=1e-4)
    assert len(set(draw.offsets)) == 3


def test_brightness_comes_before_the_channel_shift() -> None:
    variation = Variation(brightness=Brightness(2, 2.5), channel_shift=ChannelShift(9))
    draw = variation.draw(_random(), SHAPE)
    varied = variation.intensities(np.full(SHAPE, 10, np.float32), draw)
    np.testing.assert_allclose(varied[0, 0], 10 * draw.factor + draw.offsets, rtol=1e-6)


def test_switching_one_kind_on_changes_no_other() -> None:
    parts = {
        "geometry": Geometry(Rotation(20)),
        "brightness": Brightness(0.5, 2),
        "channel_shift": ChannelShift(3),
    }
    whole = Variation(**parts).draw(_random(), SHAPE)
    drawn = [Variation(**{name: part}).draw(_random(), SHAPE) for name, part in parts.items()]
    np.testing.assert_array_equal(drawn[0].matrix, whole.matrix)
    assert drawn[1].factor == whole.factor
    np.testing.assert_array_equal(drawn[2].offsets, whole.offsets)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rotation_range", 10),
        ("width_shift", 0.1),
        ("height_shift", 2),
        ("shear_range", 5),
        ("zoom_range", 0.1),
        ("horizontal_flip_switch", True),
        ("vertical_flip_switch", True),
        ("brightness_range", [0.8, 1.2]),
        ("channel_shift_range", 3),
    ],
)
def test_every_setting_acts_alone_and_only_while_switched_on(key: str, value: object) -> None:
    switch = "augmentation__apply_augmentation_switch"
    off = config_of(SHAPE, **{f"augmentation__{key}": value})
    on = config_of(SHAPE, **{f"augmentation__{key}": value, switch: True})
    idle = config_of(SHAPE, **{switch: True})
    assert Variation.from_config(on.augmentation).acts
    assert not Variation.from_config(off.augmentation).acts
    assert not Variation.from_config(idle.augmentation).acts


def test_settings_reach_their_transforms() -> None:
    config = config_of(
        SHAPE,
        augmentation__apply_augmentation_switch=True,
        augmentation__rotation_range=7.5,
        augmentation__rotation_axes="all",
        augmentation__voxel_size=[1, 1, 5],
        augmentation__height_shift=0.25,
        augmentation__width_shift=4,
        augmentation__shear_range=3,
        augmentation__zoom_range=0.125,
        augmentation__vertical_flip_switch=True,
        augmentation__interpolation="cubic",
        augmentation__fill_mode="constant",
        augmentation__cval=-5,
    )
    geometry = Variation.from_config(config.augmentation).geometry
    assert geometry.rotation == Rotation(7.5, all_axes=True, voxel_size=(1, 1, 5))
    assert (geometry.shift.height, geometry.shift.width) == (0.25, 4)
    assert (geometry.shear.degrees, geometry.zoom.share) == (3, 0.125)
    assert (geometry.flip.vertical, geometry.flip.horizontal) == (True, False)
    assert geometry.interpolation == "cubic"
    assert (geometry.filling.mode, geometry.filling.value) == ("constant", -5)
    assert geometry.filling.with_background().value == 0
