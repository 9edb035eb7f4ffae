"""Draws are a function of seed, purpose and place, for ever."""

import numpy as np
import pytest

from dlae_core.data.randomness import Purpose, generator


@pytest.mark.parametrize("place", [(), (0,), (3, 1, 17), (0, 0, 2**32 - 1), (5, 0, 10**18 - 1)])
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**40])
def test_draws_are_those_of_the_plain_seed_sequence(seed: int, place: tuple[int, ...]) -> None:
    words = [seed, int(Purpose.AUGMENTATION), *place]
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))
    found = generator(seed, Purpose.AUGMENTATION, *place)
    np.testing.assert_array_equal(found.random(4), expected.random(4))


def test_every_purpose_and_place_has_its_own_draws() -> None:
    places = [
        (1, purpose, epoch, name) for purpose in Purpose for epoch in (0, 1) for name in (0, 1)
    ]
    assert len({generator(*place).random() for place in places}) == len(places)
