"""What one sample of a data set adds to the report on it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlae_core.data.distribution import Distribution
from dlae_core.data.inspection import MOST_AXES, Expectation, Problem, Sample
from dlae_core.data.source import Array
from dlae_core.data.stored_boxes import box_problems, box_rows

# More than these are not told apart.
MOST_COMPONENTS = 32
MOST_CLASSES = 256
# Without a network: a last axis this short holds channels, a longer one slices.
MOST_CHANNELS = 4
# Space of an image that cannot be read.
ANY_SPACE = (1 << 62, 1 << 62)

Shape = tuple[int, ...]


@dataclass
class Values:
    """Distributions by component: channels of images, entries of vectors."""

    components: list[Distribution] = field(default_factory=list)

    def add(self, found: tuple[Distribution, ...]) -> None:
        """Adds the components of one sample."""
        for place, distribution in enumerate(found):
            if place < len(self.components):
                self.components[place] = self.components[place].merged(distribution)
            else:
                self.components.append(distribution)

    def to_json(self) -> list[dict[str, Any]]:
        """Returns the distributions as JSON values."""
        return [distribution.to_json() for distribution in self.components]


@dataclass
class Labels:
    """Class numbers.

    Attributes:
        counts: How often each number stands in all annotations: pixels, or images.
        samples: How many annotations hold it.
        known: Whether all annotations can be class numbers.
    """

    counts: Counter[int] = field(default_factory=Counter)
    samples: Counter[int] = field(default_factory=Counter)
    known: bool = True

    def add(self, found: dict[int, int] | None) -> None:
        """Adds the counts of one annotation; None: it holds something else."""
        if self.known and found is not None:
            self.counts.update(found)
            self.samples.update(found.keys())
        if found is None or len(self.counts) > MOST_CLASSES:
            self.known = False
            self.counts.clear()
            self.samples.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """Returns the counts as JSON values."""
        total = self.counts.total()
        return [
            {
                "class": number,
                "count": self.counts[number],
                "fraction": self.counts[number] / total,
                "samples": self.samples[number],
            }
            for number in sorted(self.counts)
        ]


@dataclass
class Boxes:
    """Boxes of all images.

    Attributes:
        per_image: Boxes of each image; None before the first.
        classes: Number of boxes by class.
        empty: Images without boxes.
        widths: Columns of the boxes, in pixels.
        heights: Rows of the boxes, in pixels.
    """

    per_image: Distribution | None = None
    classes: Counter[int] = field(default_factory=Counter)
    empty: int = 0
    widths: Distribution | None = None
    heights: Distribution | None = None

    def add(self, boxes: Array) -> None:
        """Adds the boxes of one image, float64 (boxes, 5)."""
        self.per_image = _joined(self.per_image, np.array([len(boxes)]))
        self.classes.update(boxes[:, 0].astype(int).tolist())
        self.empty += len(boxes) == 0
        self.widths = _joined(self.widths, boxes[:, 3] - boxes[:, 1])
        self.heights = _joined(self.heights, boxes[:, 4] - boxes[:, 2])

    def to_json(self) -> dict[str, Any]:
        """Returns the counts as JSON values."""
        distributions = {
            "per_image": self.per_image,
            "widths": self.widths,
            "heights": self.heights,
        }
        return {
            "classes": [
                {"class": number, "count": self.classes[number]} for number in sorted(self.classes)
            ],
            "images_without": self.empty,
            **{name: one.to_json() if one else None for name, one in distributions.items()},
        }


@dataclass(frozen=True)
class Summary:
    """What one sample holds.

    Attributes:
        name: Its name.
        channels: Intensities of each channel; empty where the image cannot be used.
        meaning: `number`, `map`, `boxes` or `values`; empty where the annotation cannot be used.
        values: Numbers of the annotation by component.
        labels: How often each class number stands in it; None where it holds none.
        boxes: float64 (boxes, 5), where it holds boxes.
        doubts: What is odd about boxes where no network says that they are boxes.
    """

    name: str
    channels: tuple[Distribution, ...] = ()
    meaning: str = ""
    values: tuple[Distribution, ...] = ()
    labels: dict[int, int] | None = None
    boxes: Array | None = None
    doubts: tuple[Problem, ...] = ()


def summarize(name: str, sample: Sample, expected: Expectation | None) -> Summary:
    """Returns what one sample holds."""
    image, annotation = sample.image, sample.annotation
    channels: tuple[Distribution, ...] = ()
    if image is not None:
        channels = _components(channels_of(image, annotation, expected))
    if annotation is None:
        return Summary(name, channels)
    meaning = meaning_of(annotation, None if image is None else image.shape, expected)
    if meaning == "boxes":
        space = ANY_SPACE if image is None else image.shape
        doubts = () if expected else tuple(box_problems(annotation, space, MOST_CLASSES))
        return Summary(name, channels, meaning, boxes=box_rows(annotation), doubts=doubts)
    labels = None
    if meaning in ("map", "number") and (expected is None or expected.classes):
        labels = label_counts(annotation)
    if labels is not None:
        values: tuple[Distribution, ...] = (Distribution.of_counts(labels),)
    else:
        is_vector = meaning == "values" and annotation.size <= MOST_COMPONENTS
        values = _components(annotation.reshape((1, -1) if is_vector else (-1, 1)))
    return Summary(name, channels, meaning, values, labels)


def meaning_of(annotation: Array, image: Shape | None, expected: Expectation | None) -> str:
    """Returns what an annotation is: `number`, `map`, `boxes` or `values`."""
    if expected is not None:
        return _meaning_expected(expected)
    shape = annotation.shape
    # Nothing is as long as rows or columns by chance, but for very small images.
    axes = 3 if image is not None and len(image) == MOST_AXES else 2
    if image is not None and len(shape) >= axes and shape[:axes] == image[:axes]:
        return "map"
    if annotation.size == 1 and len(shape) <= 2:
        return "number"
    if _are_boxes(annotation, image):
        return "boxes"
    return "values" if len(shape) <= 2 else "map"


def _meaning_expected(expected: Expectation) -> str:
    if expected.boxes:
        return "boxes"
    if len(expected.target_shape) > 1:
        return "map"
    return "number" if expected.target_shape in ((), (1,)) else "values"


def channels_of(image: Array, annotation: Array | None, expected: Expectation | None) -> Array:
    """Returns an image as (*space, channels), so far as it can be known which axes are which."""
    if expected is not None:
        has_channels = image.ndim == len(expected.image_shape)
    elif image.ndim != 3:
        has_channels = image.ndim == 4
    elif annotation is not None and annotation.shape in (image.shape, image.shape[:-1]):
        has_channels = annotation.ndim == 2
    else:
        has_channels = image.shape[-1] <= MOST_CHANNELS
    return image if has_channels else image[..., np.newaxis]


def label_counts(annotation: Array) -> dict[int, int] | None:
    """Returns how often each class number stands in an annotation; None: they are no classes."""
    if annotation.size == 0 or annotation.min() < 0 or annotation.max() >= 1 << 16:
        return None
    if annotation.dtype.kind == "f" and not (annotation == np.rint(annotation)).all():
        return None
    counts = np.bincount(annotation.reshape(-1).astype(np.intp))
    numbers = np.flatnonzero(counts)
    return None if len(numbers) > MOST_CLASSES else {int(n): int(counts[n]) for n in numbers}


def _are_boxes(annotation: Array, image: Shape | None) -> bool:
    """Returns whether an annotation of (boxes, 5) or (5,) makes sense as boxes."""
    shape = annotation.shape
    if shape[-1:] != (5,) or len(shape) > 2:
        return False
    problems = list(box_problems(annotation, image or ANY_SPACE, MOST_CLASSES))
    if len(shape) == 2:
        # One row may be the values of a regression as well.
        areas = [kind for kind, _ in problems if kind == "box areas"]
        return not (shape[0] == 1 and areas)
    return not problems


def _components(parts: Array) -> tuple[Distribution, ...]:
    """Returns the distributions along the last axis; one for all where it is long."""
    count = parts.shape[-1]
    pieces = [parts[..., place] for place in range(count)] if count <= MOST_COMPONENTS else [parts]
    measured = [Distribution.of(piece) for piece in pieces]
    return tuple(one for one in measured if one is not None)


def _joined(known: Distribution | None, values: Array) -> Distribution | None:
    more = Distribution.of(values)
    if known is None or more is None:
        return known or more
    return known.merged(more)
