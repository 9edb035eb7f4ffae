"""The log that TensorBoard shows: metrics of every epoch, weights of some, example pictures.

It is written in the form that TensorBoard has always read, which needs nothing but TensorFlow.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.errors import StorageFailed

FILE = "events.out.tfevents.dlae"
BINS = 30

Event, Summary = tf.compat.v1.Event, tf.compat.v1.Summary


class EventLog:
    """Appends to a log; what an interrupted training had written too much is cut off.

    Differs: any histogram made DLAE 1.0 fail (S3).

    Attributes:
        path: The file.
    """

    def __init__(self, folder: Path, model: keras.Model, histogram_epochs: int) -> None:
        """Begins a log.

        Args:
            folder: Where it is written.
            model: Whose weights are shown.
            histogram_epochs: Epochs between histograms of weights; 0: none.
        """
        self.path = folder / FILE
        self._model = model
        self._histogram_epochs = histogram_epochs
        self._length = 0

    def epoch_finished(
        self, epoch: int, metrics: Mapping[str, float], pictures: Mapping[str, bytes]
    ) -> None:
        """Adds an epoch, from 1; the log counts from 0, as the history does.

        Args:
            epoch: From 1.
            metrics: By name.
            pictures: PNG files by name.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        values = [Summary.Value(tag=tag, simple_value=one) for tag, one in metrics.items()]
        values += [_picture(tag, content) for tag, content in pictures.items()]
        if self._histogram_epochs and epoch % self._histogram_epochs == 0:
            values += [
                Summary.Value(tag=variable.path, histo=_histogram(np.asarray(variable)))
                for variable in self._model.weights
            ]
        summary = Summary(value=values)
        self._append(Event(wall_time=time.time(), step=epoch - 1, summary=summary))

    def state(self) -> int:
        """Returns what to restore."""
        return self._length

    def restore(self, length: int) -> None:
        """Goes on from a state; a log that is shorter, because it was lost, goes on as it is."""
        found = self.path.stat().st_size if self.path.exists() else 0
        self._length = min(length, found)

    def _append(self, event: Any) -> None:
        first = Event(wall_time=time.time(), file_version="brain.Event:2")
        events = [event] if self._length else [first, event]
        # TensorFlow's own writer cannot append.
        scratch = self.path.with_name(".events.writing")
        try:
            with tf.io.TFRecordWriter(str(scratch)) as writer:
                for one in events:
                    writer.write(one.SerializeToString())
            with self.path.open("r+b" if self._length else "w+b") as file:
                file.truncate(self._length)
                file.seek(self._length)
                file.write(scratch.read_bytes())
                self._length = file.tell()
            scratch.unlink()
        except (OSError, tf.errors.OpError) as error:
            raise StorageFailed(f"cannot write {self.path.name}: {error}") from error


def _picture(tag: str, content: bytes) -> Any:
    # A PNG file has its width and height, both of 4 bytes, after 16 others.
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=content)
    return Summary.Value(tag=tag, image=image)


def _histogram(values: NDArray[Any]) -> Any:
    numbers = values.astype(np.float64).ravel()
    counts, edges = np.histogram(numbers, BINS)
    return tf.compat.v1.HistogramProto(
        min=numbers.min(),
        max=numbers.max(),
        num=numbers.size,
        sum=numbers.sum(),
        sum_squares=np.square(numbers).sum(),
        bucket_limit=edges[1:],
        bucket=counts,
    )
