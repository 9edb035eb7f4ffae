"""What a setting changes of predictions."""

from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.config import load_config
from dlae_core.engines.exporting import export_engines
from dlae_core.prediction.options import options_of
from dlae_core.training.accepting import accepted_precisions
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks


def predicting(text: str, work: Path) -> Any:
    """How a model predicts that keeps the configuration."""
    return options_of(load_config(text).config)


def judged(text: str, work: Path) -> Any:
    """Which precisions an untrained network, of too large weights, is accepted and refused in."""
    work.mkdir()
    config = load_config(text).config
    network = checked_networks(config)[0]
    random = np.random.default_rng(3)
    for weight in network.model.trainable_weights:
        weight.assign(random.normal(0, 3, weight.shape))
    with open_training_data(config, network) as data:
        samples = next(iter(data.training.batches(0))).images
        engines = export_engines(work, network.model, samples)
        found = accepted_precisions(work, config, network, data, engines)
    return {name: "refused" in one for name, one in found.items()}
