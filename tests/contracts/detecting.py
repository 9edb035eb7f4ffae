"""What a setting of detectors can change: the boxes that are made of an output."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from dlae_core.config import load_config
from dlae_core.families.table import family_of
from dlae_core.training.judging import decoder_of


def detected(text: str, work: Path) -> Any:
    """Boxes that a network finds before training."""
    config = load_config(text).config
    keras.utils.set_random_seed(config.augmentation.random_seed)
    network = family_of(config).networks(config)[0]
    images = np.random.default_rng(1).normal(size=(4, *network.model.input_shape[1:]))
    outputs = np.asarray(network.model(images.astype("float32")))
    decoder = decoder_of(config, network)
    return [decoder.boxes(one).tolist() for one in outputs]
