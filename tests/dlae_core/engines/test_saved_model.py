"""A SavedModel gives what Keras gives, without Keras."""

from pathlib import Path

import numpy as np
import pytest

from dlae_core.bundle import write_manifest
from dlae_core.engines.saved_model import write_saved_model
from dlae_core.errors import CorruptArtifact, StorageFailed

pytestmark = [pytest.mark.keras, pytest.mark.slow]


def test_a_saved_model_gives_what_the_network_gives(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    layers = [keras.Input((None, None, 1)), keras.layers.Conv2D(2, 3, padding="same")]
    network = keras.Sequential([*layers, keras.layers.Softmax()])
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    network.save(bundle / "model.keras")
    facts = dict.fromkeys(
        ("dlae_version", "keras_version", "create_time", "family", "classes", "parameters", "seed")
    )
    sizes = {"input_shape": (0, 0, 1), "output_shape": (0, 0, 2)}
    write_manifest(bundle, {**facts, **sizes, "metrics": {}, "preprocessing": {}, "data": {}})
    write_saved_model(bundle, tmp_path / "saved")
    images = np.random.default_rng(1).normal(size=(2, 8, 6, 1)).astype(np.float32)
    (output,) = (
        tf.saved_model.load(str(tmp_path / "saved"))
        .signatures["serving_default"](tf.constant(images))
        .values()
    )
    np.testing.assert_allclose(output, network(images), atol=1e-6)
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "saved"}
    with pytest.raises(StorageFailed, match="expected a new folder"):
        write_saved_model(bundle, tmp_path / "saved")
    (bundle / "model.keras").write_bytes(b"x")
    with pytest.raises(CorruptArtifact):
        write_saved_model(bundle, tmp_path / "other")
