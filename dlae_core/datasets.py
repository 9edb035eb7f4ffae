"""Batches as `tf.data`, for programs that want them so. Training takes them as plain arrays."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.data.pipeline import Pipeline


def as_dataset(pipeline: Pipeline, epoch: int, start_step: int = 0) -> tf.data.Dataset:
    """Returns the batches of an epoch as a data set of (images, targets).

    They are prepared by the pipeline's own threads, which end with the iteration; so there is
    nothing to gain from `prefetch`. Every iteration delivers the same batches.

    Args:
        pipeline: Open while the data set is in use.
        epoch: From 0.
        start_step: Batches to leave out at the beginning.

    Raises:
        UnusableDataset: The first sample cannot be read. A later one fails as an error of
            TensorFlow that names it.
    """

    def arrays() -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for batch in pipeline.batches(epoch, start_step):
            yield batch.images, batch.targets

    signature = tuple(tf.TensorSpec((None, *one.shape), one.dtype) for one in pipeline.example)
    dataset = tf.data.Dataset.from_generator(arrays, output_signature=signature)
    left = max(pipeline.steps - start_step, 0)
    return dataset.apply(tf.data.experimental.assert_cardinality(left))
