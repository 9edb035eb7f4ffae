"""The losses of GANs against section 8 of the specification, in NumPy."""

import numpy as np
import pytest

from dlae_core.losses.adversarial import MADE, TRUE, cyclegan, least_squares, pix2pix

pytestmark = pytest.mark.keras

RANDOM = np.random.default_rng(4)
JUDGED = RANDOM.normal(0, 1, (2, 3, 4, 4, 1)).astype(np.float32)
IMAGES = RANDOM.uniform(-1, 1, (6, 3, 8, 8, 2)).astype(np.float32)


def _square(judged: np.ndarray, label: float) -> float:
    return float(((judged.astype(float) - label) ** 2).mean())


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def test_discriminators_are_to_say_1_of_true_and_0_of_made_images() -> None:
    assert float(least_squares(JUDGED[0], TRUE)) == pytest.approx(_square(JUDGED[0], 1), rel=1e-6)
    assert float(least_squares(JUDGED[0], MADE)) == pytest.approx(_square(JUDGED[0], 0), rel=1e-6)
    assert float(least_squares(np.ones((2, 1), np.float32), TRUE)) == 0


def test_generator_of_pix2pix_deceives_and_resembles_its_target() -> None:
    made, target = IMAGES[:2]
    found = pix2pix(JUDGED[0], made, target, 100)
    adversarial, distance = _square(JUDGED[0], 1), _distance(made, target)
    assert float(found.total) == pytest.approx(adversarial + 100 * distance, rel=1e-6)
    parts = (found.adversarial, found.reconstruction, found.identity)
    assert list(map(float, parts)) == pytest.approx([adversarial, distance, 0], rel=1e-6)


def test_generators_of_cyclegan_deceive_undo_each_other_and_keep_their_own_targets() -> None:
    x, y, cycled_x, cycled_y, same_x, same_y = IMAGES
    outputs = (*JUDGED, cycled_x, cycled_y, same_x, same_y)
    found = cyclegan(outputs, (x, y), 10, 0.5)
    squares = [_square(judged, 1) for judged in JUDGED]
    cycles = [_distance(x, cycled_x), _distance(y, cycled_y)]
    identities = [_distance(x, same_x), _distance(y, same_y)]
    total = sum(squares) + 10 * sum(cycles) + 0.5 * sum(identities)
    assert float(found.total) == pytest.approx(total, rel=1e-6)
    parts = (found.adversarial, found.reconstruction, found.identity)
    means = [np.mean(squares), np.mean(cycles), np.mean(identities)]
    assert list(map(float, parts)) == pytest.approx(means, rel=1e-6)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16"])
def test_values_and_gradients_are_finite_and_float32(kind: str) -> None:
    import tensorflow as tf

    outputs = [tf.cast(one, kind) for one in (*JUDGED, *IMAGES[2:])]
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        found = cyclegan(outputs, (outputs[2], IMAGES[1]), 10, 0.5)
    assert all(one.dtype == tf.float32 for one in found)
    for gradient in tape.gradient(found.total, outputs):
        assert np.isfinite(tf.cast(gradient, tf.float32)).all()
