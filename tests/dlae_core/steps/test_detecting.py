"""Steps of detectors: one pass that measures and gives the output."""

from pathlib import Path

import keras
import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.losses import FAMILY_DEFAULTS
from dlae_core.training.learning import learner_of
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks
from tests.sessions import detector_text, write_shapes

pytestmark = [pytest.mark.keras, pytest.mark.slow]


def test_a_batch_is_measured_as_ever_and_its_output_is_that_of_the_network(tmp_path: Path) -> None:
    write_shapes(tmp_path, count=6)
    config = load_config(detector_text(tmp_path)).config
    keras.utils.set_random_seed(1)
    networks = checked_networks(config)
    with open_training_data(config, networks[0]) as data:
        learner = learner_of(config, networks, data)
        batch = next(data.training.batches(0))
        sums, output = learner.steps.evaluate_with_output(batch.images, batch.targets)
        np.testing.assert_array_equal(sums, learner.steps.evaluate(batch.images, batch.targets))
        np.testing.assert_array_equal(output, learner.steps.output(batch.images))
    metrics = learner.monitors.results(sums[1:])
    _, weight = FAMILY_DEFAULTS["ssd"]
    parts = metrics["classification_loss"] + weight * metrics["localization_loss"]
    assert sums[0] == pytest.approx(parts, rel=1e-6)
