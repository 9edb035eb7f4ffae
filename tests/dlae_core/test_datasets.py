"""Batches as tf.data: the same as the plain arrays."""

import gc
import threading
from pathlib import Path

import numpy as np
import pytest

from dlae_core.data.pipeline import Passes, Pipeline, Resources
from dlae_core.data.source import Array, PairedFiles, write_samples
from dlae_core.datasets import as_dataset

pytestmark = pytest.mark.keras


class Noise:
    """Images with noise, annotations as they are."""

    random = True

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Array, Array]:
        """Returns image and target of a stored sample."""
        noise = 0 if random is None else random.random(image.shape)
        return (image + noise).astype(np.float32), annotation


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    samples = [(str(number), np.full((2, 3, 1), number)) for number in range(7)]
    write_samples(tmp_path / "X.h5", samples)
    write_samples(tmp_path / "y.h5", samples)
    pairs = PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5")
    passes = Passes(batch_size=3, rounds=2, shuffle=True, seed=1, augment=True)
    return Pipeline(pairs, pairs.names, Noise(), passes, Resources(2))


@pytest.mark.parametrize("start", [0, 4, 6])
def test_a_data_set_has_the_batches_of_an_epoch(pipeline: Pipeline, start: int) -> None:
    dataset = as_dataset(pipeline, 1, start)
    expected = list(pipeline.batches(1, start))
    assert dataset.cardinality() == len(expected) == 6 - start
    for _ in range(2):
        found = list(dataset.as_numpy_iterator())
        assert len(found) == len(expected)
        for (images, targets), batch in zip(found, expected, strict=True):
            np.testing.assert_array_equal(images, batch.images)
            np.testing.assert_array_equal(targets, batch.targets)
            assert (images.dtype, targets.dtype) == (batch.images.dtype, batch.targets.dtype)


def test_an_iteration_that_stops_leaves_no_thread(pipeline: Pipeline) -> None:
    iterator = iter(as_dataset(pipeline, 0))
    next(iterator)
    del iterator
    gc.collect()
    assert not [one for one in threading.enumerate() if one.name.startswith("pipeline")]
