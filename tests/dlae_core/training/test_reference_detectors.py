"""Every detector of DLAE 1.0 trains: its own configuration, on smaller images."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.training.learning import learner_of
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks
from tests.reference import reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

FILES = [
    *(f"configs/{name}.json" for name in ("detection", "example_bbd")),
    *(f"prebuilt_configs/{name}.json" for name in ("mobilenet_ssd", "ssd", "vgg16_ssd")),
]
SIDE, COUNT = 128, 4


@pytest.fixture(autouse=True)
def _one_after_the_other() -> Iterator[None]:
    yield
    keras.utils.clear_session()


def _config(file: str, folder: Path) -> Config:
    """Returns a configuration for images of 128 x 128."""
    text = reference_path(file).read_text().replace("(512, 512, 1)", f"({SIDE}, {SIDE}, 1)")
    # What is left of them where SSD has its last convolution.
    sections: dict[str, Any] = json.loads(text.replace("2D:256:(4, 4)", "2D:256:(3, 3)"))
    sections["paths"] |= {"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")}
    sections["training_configurations"] |= {"hardware": "cpu", "batch_size": 1}
    sections["training_configurations"]["validation_split"] = 0.5
    loaded = load_config(json.dumps(sections))
    assert loaded.unsupported == ()
    return loaded.config


def _write_data(folder: Path, classes: int) -> None:
    random = np.random.default_rng(2)
    images, boxes = [], []
    for index in range(COUNT):
        image = random.normal(0, 10, (SIDE, SIDE, 1))
        left, top = random.integers(8, 70, 2)
        image[top : top + 40, left : left + 40] += 100
        kind = 1 + index % classes
        images.append((str(index), image.astype(np.float32)))
        boxes.append((str(index), np.array([[kind, left, top, left + 40, top + 40]], float)))
    write_samples(folder / "X.h5", images)
    write_samples(folder / "y.h5", boxes)


@pytest.mark.parametrize("file", FILES)
def test_detector_of_1_0_trains(file: str, tmp_path: Path) -> None:
    config = _config(file, tmp_path)
    _write_data(tmp_path, config.bbd_options.number_classes)
    keras.utils.set_random_seed(1)
    networks = checked_networks(config)
    with open_training_data(config, networks[0]) as data:
        learner = learner_of(config, networks, data)
        assert learner.judge
        before = [np.asarray(one) for one in networks[0].model.trainable_variables]
        assert data.training.steps == 2
        for batch in data.training.batches(0):
            # Two steps say whether all is connected, not whether a rate is right.
            sums = learner.steps.train(batch.images, batch.targets, [1e-5])
            assert np.isfinite(sums).all()
            assert sums[0] > 0
        weights = networks[0].model.trainable_variables
        moved = [not np.array_equal(*pair) for pair in zip(weights, before, strict=True)]
        # Hooks without an object nor a hard background have nothing to learn from two images.
        assert moved[0]
        assert sum(moved) > len(moved) / 3
        assert data.validation
        for batch in data.validation.batches(0):
            assert np.isfinite(learner.judge.evaluate(batch)).all()
        assert all(0 <= one <= 1 for one in learner.judge.results().values())
