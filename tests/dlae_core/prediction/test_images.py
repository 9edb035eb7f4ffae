"""Images prepared part by part are the parts of images prepared as wholes."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.normalization import Normalization, Preprocessing, Statistics
from dlae_core.errors import InvalidImage
from dlae_core.prediction import images as room
from dlae_core.prediction.images import Prepared, checked_images, prepared

IMAGE = np.random.default_rng(3).integers(-900, 900, (9, 8, 2), np.int16)
PLAIN = Preprocessing(
    3, 1, Augmentation(), Statistics(), Normalization("none"), Normalization("none")
)
KNOWN = Normalization("negpos", -1000.0, 2000.0)
FEATUREWISE = {"featurewise_centering_switch": True, "featurewise_normalization_switch": True}


def test_parts_are_the_same_bits_where_pixels_are_prepared_each_by_itself() -> None:
    switches = Augmentation(**FEATUREWISE)
    measured = Statistics((3.3, -7.7), (211.1, 0.3))
    for images, (chosen, statistics), repeat in itertools.product(
        (Normalization("none"), KNOWN),
        ((Augmentation(), Statistics()), (switches, measured)),
        (1, 3),
    ):
        one = Preprocessing(3, repeat, chosen, statistics, images, Normalization("none"))
        assert one.is_pointwise
        found, whole = prepared(IMAGE, one), one.image(IMAGE)
        assert isinstance(found, Prepared)
        assert found.shape == whole.shape
        part = (slice(2, 7), slice(1, 4))
        np.testing.assert_array_equal(found[part], whole[part])


@pytest.mark.parametrize(
    "switches",
    [
        {"samplewise_centering_switch": True},
        {"samplewise_normalization_switch": True},
        {"zca_epsilon": 0.1},
    ],
)
def test_what_is_measured_on_the_image_is_prepared_as_a_whole(switches: dict[str, float]) -> None:
    one = replace(PLAIN, switches=Augmentation(**switches))
    np.testing.assert_array_equal(prepared(IMAGE, one), one.image(IMAGE))


def test_a_range_of_each_image_is_that_of_the_whole() -> None:
    for normalization in (Normalization("unity"), Normalization("unity", 0.0, None)):
        one = replace(PLAIN, images=normalization)
        np.testing.assert_array_equal(prepared(IMAGE, one), one.image(IMAGE))


def test_a_number_that_is_none_is_found_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_BLOCK", 10)
    for images in (np.zeros((3, 5, 7, 1), np.float32), np.zeros((7, 5, 3, 1), np.float64).T):
        shape = images.shape[1:]
        assert checked_images(images, shape, resize=False, larger=False) is images
        for place in (0, 9, 10, images.size - 1):
            spoiled = images.copy("K")
            spoiled[np.unravel_index(place, images.shape)] = (np.nan, np.inf)[place % 2]
            with pytest.raises(InvalidImage, match="finite"):
                checked_images(spoiled, shape, resize=False, larger=False)
