"""What a model does, and what evaluates it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.data.normalization import Normalization, Preprocessing, Statistics
from dlae_core.evaluation.boxes import Boxes
from dlae_core.evaluation.classification import Classification
from dlae_core.evaluation.geometry import Units
from dlae_core.evaluation.images import Images
from dlae_core.evaluation.kinds import (
    CLASSIFICATION,
    COORDINATES,
    DETECTION,
    IMAGES,
    REGRESSION,
    SEGMENTATION,
)
from dlae_core.evaluation.measures import Bootstrap
from dlae_core.evaluation.numbers import Points, Regression
from dlae_core.evaluation.result import Numbers, Result, Sample
from dlae_core.evaluation.segmentation import Segmentation

Shape = tuple[int, ...]

# Average precision wants boxes of which few are right as well; detectors for COCO stop here.
_LEAST_CONFIDENCE = 0.01
_BOX, _OBJECT = 6, 5


@dataclass(frozen=True)
class Task:
    """What a model does.

    Attributes:
        kind: One of `KINDS`.
        classes: Number of classes; of objects, background not counted; 0 for values.
        axes: Space axes of an image.
        confidence: Of boxes that count as found.
        asked: Options of the predictions that suit, by their names in the section `prediction`.
        normalization: What makes an annotation of values per pixel comparable with them.
        data_range: Largest difference of intensities; None: that of each reference.
    """

    kind: str
    classes: int
    axes: int
    confidence: float = 0.0
    asked: Mapping[str, Any] = field(default_factory=dict)
    normalization: Normalization = field(default_factory=lambda: Normalization("none"))
    data_range: float | None = None


class Evaluator(Protocol):
    """Takes case after case, then tells what it found."""

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds samples that belong together."""

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""


def task_of_model(
    config: Config, classes: int, input_shape: Sequence[int], output_shape: Sequence[int]
) -> Task:
    """Returns what a trained model does.

    Args:
        config: That it was trained with, complete.
        classes: Its number of classes; 0 for values.
        input_shape: Of one image, (*space, channels).
        output_shape: Of one output.
    """
    axes, signal = len(input_shape) - 1, config.config_file.model_signal
    if signal == "BBD":
        options = config.bbd_options
        confidence = options.confidence_threshold
        every = {"confidence_threshold": min(confidence, _LEAST_CONFIDENCE)}
        return Task(DETECTION, options.number_classes, axes, confidence, every)
    if classes:
        kind = SEGMENTATION if len(output_shape) > 1 else CLASSIFICATION
        return Task(kind, classes, axes)
    if len(output_shape) > 1:
        return _images(config, axes)
    points = config.preprocessing.annotation_type == COORDINATES
    return Task(COORDINATES if points else REGRESSION, 0, axes)


def task_of_arrays(predicted: Numbers, reference: Numbers) -> Task | None:
    """Returns what a prediction and its annotation look like; None where they do not tell.

    The number of classes is that of the prediction, 0 where it holds class numbers or boxes.
    """
    shape, wanted = predicted.shape, _without_channel(reference).shape
    whole, last = _are_whole(reference), (shape or (0,))[-1]
    number = len(shape) == 1 and reference.size == 1
    plane = len(wanted) in (2, 3)
    rules = (
        (_ends(predicted, _BOX) and _ends(reference, _OBJECT), Task(DETECTION, 0, 2)),
        (number and whole and last > 1, Task(CLASSIFICATION, last, 2)),
        (len(shape) == 1 and last == reference.size, Task(REGRESSION, 0, 2)),
        (plane and shape == wanted and _is_integer(predicted), Task(SEGMENTATION, 0, len(wanted))),
        (
            plane and whole and shape[:-1] == wanted and last > 1,
            Task(SEGMENTATION, last, len(wanted)),
        ),
        (
            len(shape) in (3, 4) and shape in (reference.shape, (*reference.shape, 1)),
            Task(IMAGES, 0, len(shape) - 1),
        ),
    )
    return next((task for fits, task in rules if fits), None)


def sample_of(task: Task, name: str, predicted: Numbers, reference: Numbers) -> Sample:
    """Returns a sample as the task's evaluator takes it.

    Raises:
        ValueError: Prediction and annotation do not go together; the text says why.
    """
    found, wanted = _PREPARED[task.kind](task, predicted, reference)
    for side, array in (("prediction", found), ("annotation", wanted)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"expected finite numbers in the {side}, found NaN or infinity")
    return Sample(name, found, wanted)


def evaluator_of(task: Task, units: Units) -> Evaluator:
    """Returns what evaluates a task."""
    made: dict[str, Any] = {
        CLASSIFICATION: lambda: Classification(task.classes),
        REGRESSION: Regression,
        COORDINATES: lambda: Points(units),
        SEGMENTATION: lambda: Segmentation(task.classes, units),
        IMAGES: lambda: Images(task.data_range),
        DETECTION: lambda: Boxes(task.classes, task.confidence),
    }
    evaluator: Evaluator = made[task.kind]()
    return evaluator


def _classified(task: Task, predicted: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    _expect(predicted.shape == (task.classes,), f"{task.classes} outputs", predicted)
    _expect(reference.size == 1, "one class number", reference)
    _check_classes(reference, task.classes)
    return predicted, reference.astype(np.intp)


def _valued(task: Task, predicted: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    _expect(predicted.size == reference.size, f"{reference.size} values", predicted)
    if task.kind == COORDINATES:
        whole = reference.size > 0 and reference.size % task.axes == 0
        _expect(whole, f"points of {task.axes} coordinates", reference)
    return predicted.reshape(-1), reference.reshape(-1)


def _segmented(task: Task, predicted: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    wanted = reference
    if reference.ndim == task.axes + 1 and reference.shape[-1] == 1:
        wanted = reference[..., 0]
    labels = predicted
    if predicted.ndim == task.axes + 1:
        several = predicted.shape[-1] > 1
        labels = predicted.argmax(axis=-1) if several else predicted[..., 0]
    _expect(labels.shape == wanted.shape, f"the {_text(wanted.shape)} pixels", labels)
    for one in (labels, wanted):
        _check_classes(one, task.classes)
    small = np.uint8 if task.classes <= 256 else np.uint16
    return labels.astype(small), wanted.astype(small)


def _made(task: Task, predicted: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    wanted = reference if reference.ndim > task.axes else reference[..., np.newaxis]
    _expect(predicted.shape == wanted.shape, f"an image of {_text(wanted.shape)}", predicted)
    return predicted, task.normalization.apply(wanted.astype(np.float32))


def _detected(task: Task, predicted: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    _expect(predicted.shape[1:] == (_BOX,), "boxes of six numbers", predicted)
    _expect(reference.size % _OBJECT == 0, "boxes of five numbers", reference)
    # Rows of class 0 fill an array up.
    return predicted[predicted[:, 0] > 0], reference.reshape(-1, _OBJECT)


_PREPARED = {
    CLASSIFICATION: _classified,
    REGRESSION: _valued,
    COORDINATES: _valued,
    SEGMENTATION: _segmented,
    IMAGES: _made,
    DETECTION: _detected,
}


def _images(config: Config, axes: int) -> Task:
    """Returns the task of making images.

    They are compared in the units of the annotations; where each annotation was normalized by its
    own extremes, which no prediction knows, normalized.
    """
    normalization = Preprocessing.from_config(config, Statistics()).annotations
    if normalization.has_inverse:
        return Task(IMAGES, 0, axes, asked={"annotation_units_switch": True})
    return Task(IMAGES, 0, axes, normalization=normalization)


def _expect(right: bool, expected: str, got: Numbers) -> None:
    if not right:
        raise ValueError(f"expected {expected}, got an array of {_text(got.shape)}")


def _check_classes(labels: Numbers, classes: int) -> None:
    if labels.size and not (_are_whole(labels) and labels.min() >= 0 and labels.max() < classes):
        low, high = labels.min(), labels.max()
        raise ValueError(f"expected classes 0 to {classes - 1}, got values {low:g} to {high:g}")


def _are_whole(array: Numbers) -> bool:
    return array.dtype.kind in "biu" or bool((array == np.rint(array)).all())


def _is_integer(array: Numbers) -> bool:
    return array.dtype.kind in "iu"


def _ends(array: Numbers, columns: int) -> bool:
    return array.ndim == 2 and array.shape[1] == columns


def _without_channel(array: Numbers) -> Numbers:
    return array[..., 0] if array.ndim > 1 and array.shape[-1] == 1 else array


def _text(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "one number"
