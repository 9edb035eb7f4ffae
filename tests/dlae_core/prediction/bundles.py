"""Small bundles of untrained networks, for tests."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import CONFIG_FILE, MODEL_FILE, write_manifest, write_text
from dlae_core.config import write_config
from dlae_core.engines.exporting import export_engines
from tests.dlae_core.test_bundle import FACTS


def with_random_weights(model: keras.Model, scale: float = 1.0) -> keras.Model:
    """Returns the model itself, its weights drawn anew."""
    random = np.random.default_rng(60)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, scale, weight.shape))
    return model


def write_bundle(folder: Path, config: Config, model: keras.Model, **facts: Any) -> Path:
    """Writes a bundle into a new folder; returns it.

    Args:
        folder: Does not exist yet.
        config: Complete.
        model: The network that predicts.
        facts: Of the manifest: `family`, `classes`.
    """
    folder.mkdir()
    model.save(folder / MODEL_FILE)
    write_text(folder / CONFIG_FILE, write_config(config))
    samples = np.random.default_rng(0).random((2, *model.input_shape[1:]), np.float32)
    shapes = {"input_shape": model.input_shape[1:], "output_shape": model.output_shape[1:]}
    engines = export_engines(folder, model, samples)
    write_manifest(folder, {**FACTS, **shapes, "engines": engines, **facts})
    return folder
