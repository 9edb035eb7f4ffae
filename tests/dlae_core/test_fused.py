"""Batch normalization as one operation: values, gradients and statistics of Keras's own."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlae_core.fused import fuse_normalization

pytestmark = pytest.mark.keras


def _model(shape: tuple[int, ...], **settings: Any) -> keras.Model:
    image = keras.Input(shape)
    layer = keras.layers.BatchNormalization(name="norm", **settings)
    model = keras.Model(image, layer(image))
    random = np.random.default_rng(1)
    model.set_weights([random.random(one.shape, np.float32) + 0.5 for one in model.get_weights()])
    return model


def _step(model: keras.Model, batch: np.ndarray, factors: np.ndarray) -> list[np.ndarray]:
    """Returns output, gradients and weights after a step in training."""

    @tf.function
    def step(images: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = model(images, training=True)
            total = tf.reduce_sum(tf.cast(output, "float32") * factors)
        return output, tape.gradient(total, [images, *model.trainable_variables])

    output, gradients = step(tf.constant(batch))
    return [np.asarray(one, np.float32) for one in (output, *gradients, *model.get_weights())]


@pytest.mark.parametrize("shape", [(5,), (7, 3), (8, 8, 3), (6, 4, 3, 2)])
@pytest.mark.parametrize(
    "settings",
    [{}, {"scale": False}, {"center": False, "momentum": 0.5, "epsilon": 1e-5}],
    ids=["plain", "unscaled", "uncentered"],
)
def test_it_is_that_of_keras(shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    random = np.random.default_rng(2)
    batch = random.normal(3, 2, (4, *shape)).astype(np.float32)
    factors = random.normal(size=batch.shape).astype(np.float32)
    plain, fused = _model(shape, **settings), _model(shape, **settings)
    fuse_normalization(fused)
    fuse_normalization(fused)
    for one, two in zip(_step(plain, batch, factors), _step(fused, batch, factors), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)
    # Not fused: as in prediction.
    np.testing.assert_allclose(plain(batch), fused(batch), rtol=1e-5, atol=1e-5)


def test_frozen_and_16_bit_layers_are_normalized_as_by_keras() -> None:
    batch = np.random.default_rng(2).normal(3, 2, (4, 8, 8, 3)).astype(np.float32)
    factors = np.ones_like(batch)
    for change in ("trainable", "dtype_policy"):
        models = [_model((8, 8, 3)) for _ in range(2)]
        fuse_normalization(models[1])
        for model in models:
            layer = model.get_layer("norm")
            setattr(layer, change, False if change == "trainable" else "mixed_bfloat16")
        steps = [_step(model, batch, factors) for model in models]
        np.testing.assert_allclose(steps[0][0], steps[1][0], rtol=2e-2, atol=2e-2)
        for one, two in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
            np.testing.assert_allclose(one, two, rtol=2e-2)


def test_a_layer_is_saved_as_that_of_keras(tmp_path: Path) -> None:
    model = _model((8, 8, 3))
    fuse_normalization(model)
    model.save(tmp_path / "m.keras")
    assert type(keras.models.load_model(tmp_path / "m.keras").layers[1]) is (
        keras.layers.BatchNormalization
    )
