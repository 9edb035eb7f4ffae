"""One request answered: whichever kind of output is asked for, as one array."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlae.v1.prediction_pb2 import (
    OUTPUT_KIND_BOXES,
    OUTPUT_KIND_LABELS,
    OUTPUT_KIND_OUTPUT,
    OUTPUT_KIND_UNSPECIFIED,
    OutputKind,
    PredictOptions,
)
from dlae_core.detection.decoding import COLUMNS
from dlae_core.prediction.options import Options, changed
from dlae_core.prediction.predictor import Predictor

Numbers = NDArray[np.generic]
Float32 = NDArray[np.float32]


def options_asked(predictor: Predictor, asked: bytes) -> Options:
    """Returns how to predict.

    Args:
        predictor: A model.
        asked: A message `PredictOptions`; empty: the model's own options.

    Raises:
        InvalidOptions: A value is out of its range.
    """
    if not asked:
        return predictor.options
    return changed(predictor.options, PredictOptions.FromString(asked))


def kind_asked(predictor: Predictor, kind: "OutputKind") -> "OutputKind":
    """Returns what is asked for: where it is not specified, what the model's settings say."""
    if kind != OUTPUT_KIND_UNSPECIFIED:
        return kind
    if predictor.outputs == "boxes":
        return OUTPUT_KIND_BOXES
    labels = predictor.options.labels and predictor.outputs == "classes"
    return OUTPUT_KIND_LABELS if labels else OUTPUT_KIND_OUTPUT


def answered(
    predictor: Predictor, images: Numbers, kind: "OutputKind", options: Options
) -> Numbers:
    """Returns the output of one batch.

    Args:
        predictor: A model.
        images: As for `Predictor.predict`.
        kind: What is asked for; never unspecified.
        options: How to predict.

    Returns:
        Labels, boxes or the network's output, as `OutputKind` describes them.

    Raises:
        InvalidImage: The images, or what is asked for, do not suit the model.
        InvalidOptions: The options do not.
    """
    if kind == OUTPUT_KIND_BOXES:
        return padded(predictor.boxes(images, options))
    return predictor.predict(images, kind == OUTPUT_KIND_LABELS, options)


def padded(boxes: Sequence[Float32]) -> Float32:
    """Returns the boxes of some images as one array, float32 (images, most, 6), with zeros after.

    Args:
        boxes: Of each image, (boxes, 6).
    """
    most = max((len(rows) for rows in boxes), default=0)
    result = np.zeros((len(boxes), most, len(COLUMNS)), np.float32)
    for row, found in zip(result, boxes, strict=True):
        row[: len(found)] = found
    return result
