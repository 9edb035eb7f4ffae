"""The grouped convolution of ResNeXt."""

from pathlib import Path

import keras
import numpy as np
import pytest

from dlae_core.backbones.resnext import GROUPS, convolve_groups

pytestmark = pytest.mark.keras


@pytest.mark.parametrize("stride", [1, 2])
def test_groups_of_channels_are_convolved_on_their_own(stride: int) -> None:
    generator = np.random.default_rng(1)
    members, rows, columns = 3, 6, 5
    image = keras.Input((rows, columns, GROUPS * members))
    model = keras.Model(image, convolve_groups(image, "grouped", stride))
    kernel = generator.normal(size=(3, 3, GROUPS * members, members)).astype(np.float32)
    model.set_weights([kernel])
    batch = generator.normal(size=(1, rows, columns, GROUPS * members)).astype(np.float32)

    padded = np.pad(batch[0], ((1, 1), (1, 1), (0, 0)))
    expected = np.zeros((-(-rows // stride), -(-columns // stride), GROUPS * members))
    for row, column in np.ndindex(expected.shape[:2]):
        window = padded[row * stride :, column * stride :][:3, :3]
        for group in range(GROUPS):
            own = slice(group * members, (group + 1) * members)
            expected[row, column, own] = np.einsum(
                "rci,rcio->o", window[..., own], kernel[:, :, own]
            )
    np.testing.assert_allclose(model(batch)[0], expected, rtol=1e-4, atol=1e-4)
    # As many weights as one kernel (3, 3, members, members) for each group.
    assert model.count_params() == GROUPS * 3 * 3 * members * members


def test_grouped_convolutions_open_without_dlae(tmp_path: Path) -> None:
    image = keras.Input((4, 4, GROUPS))
    model = keras.Model(image, convolve_groups(image, "grouped", stride=1))
    model.save(tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    batch = np.random.default_rng(1).normal(size=(1, 4, 4, GROUPS)).astype(np.float32)
    np.testing.assert_allclose(opened(batch), model(batch), rtol=1e-5, atol=1e-6)


def test_grouped_convolutions_learn_on_any_device() -> None:
    image = keras.Input((4, 4, GROUPS))
    model = keras.Model(image, convolve_groups(image, "grouped", stride=1))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.set_weights([np.zeros((3, 3, GROUPS, 1), np.float32)])
    model.train_on_batch(np.ones((1, 4, 4, GROUPS)), np.ones((1, 4, 4, GROUPS)))
    # d mean((y - 1)^2) / d kernel at y = 0: -2 for each of the 4 x 4 x 32 outputs that a weight
    # reaches, divided by their number; the centre reaches all, the corners 3 x 3 of each channel.
    (kernel,) = model.get_weights()
    np.testing.assert_allclose(kernel[1, 1], 2 * 16 / (16 * GROUPS), rtol=1e-5)
    np.testing.assert_allclose(kernel[0, 0], 2 * 9 / (16 * GROUPS), rtol=1e-5)
