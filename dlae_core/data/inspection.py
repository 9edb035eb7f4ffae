"""Inspection: one pass over all samples that finds what cannot be trained on."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from dlae_core.data.samples import Array, Pairs, Samples
from dlae_core.data.source import SHOWN, PairedFiles
from dlae_core.data.stored_boxes import box_problems
from dlae_core.data.walking import walk
from dlae_core.errors import UnusableDataset

# Of an image whose network is not known: rows, cols, slices, channels.
FEWEST_AXES, MOST_AXES = 2, 4

# Kind, for counting, and what is wrong.
Problem = tuple[str, str]
Shape = tuple[int, ...]
Form = tuple[Shape, str]


@dataclass(frozen=True)
class Expectation:
    """What a network expects of its data.

    Attributes:
        image_shape: One image with its channel axis, (*space, channels).
        target_shape: One annotation without a trailing axis of length 1: `()` for a class number,
            `(*space,)` for a label map, else the values. Not used for boxes.
        classes: Number of classes of an annotation of class numbers; kinds of object of boxes,
            background not counted; 0 where an annotation holds values.
        boxes: Whether an annotation holds boxes, (boxes, 5) or (5,).
    """

    image_shape: Shape
    target_shape: Shape
    classes: int
    boxes: bool = False


@dataclass(frozen=True)
class Sample:
    """One sample as inspected.

    Attributes:
        image: As stored; None where it cannot be used.
        annotation: As stored; None where it cannot be used.
        problems: What is wrong, each with file and dataset.
        forms: Shape and type of image and annotation; None where they cannot be known.
    """

    image: Array | None
    annotation: Array | None
    problems: tuple[Problem, ...]
    forms: tuple[Form | None, Form | None]


class Problems:
    """Problems by kind: the first twenty of each, and how many there are."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, kind: str, sentence: str) -> None:
        """Adds one."""
        shown = self._kinds.setdefault(kind, [])
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if len(shown) < SHOWN:
            shown.append(sentence)

    def sentences(self) -> list[str]:
        """Returns them by kind, and after twenty of a kind how many more there are."""
        told: list[str] = []
        for kind, shown in self._kinds.items():
            told += shown
            more = self._counts[kind] - len(shown)
            told += [f"and {more} more of this kind"] if more else []
        return told


def inspect_pairs(pairs: Pairs, expected: Expectation) -> list[str]:
    """Returns every problem as a sentence, the first twenty of each kind and how many more."""
    problems = Problems()
    look = partial(inspect_sample, pairs, expected)
    for sample in walk(pairs.names, partial(sample_bytes, pairs), look):
        for kind, sentence in sample.problems:
            problems.add(kind, sentence)
    return problems.sentences()


def surplus_warnings(pairs: PairedFiles) -> list[str]:
    """Returns what is doubtful about the names.

    Differs: DLAE 1.0 ignored annotations without an image in silence (D10).
    """
    if not pairs.surplus:
        return []
    names = ", ".join(pairs.surplus[:SHOWN]) + (", ..." if len(pairs.surplus) > SHOWN else "")
    return [
        f"{pairs.annotations.path.name}: {len(pairs.surplus)} annotations have no image of the "
        f"same name in {pairs.images.path.name} and are not used ({names})"
    ]


def inspect_sample(pairs: Pairs, expected: Expectation | None, name: str) -> Sample:
    """Reads one sample and returns it with all that is wrong with it.

    Args:
        pairs: The files.
        expected: What the network expects; None: what any network does.
        name: Name of the sample.
    """
    found: list[Problem] = []
    image_form, image = _read(pairs.images, name, partial(_image_form, expected), found)
    form, annotation = _read(pairs.annotations, name, partial(_target_form, expected), found)
    if annotation is not None and expected is not None:
        space = expected.image_shape if image is None else image.shape
        problems = list(_content(annotation, expected, space))
        found += _placed(pairs.annotations, name, problems)
        annotation = None if problems and expected.boxes else annotation
    return Sample(image, annotation, tuple(found), (image_form, form))


def sample_bytes(pairs: Pairs, name: str) -> int:
    """Returns what image and annotation of a sample take in memory; 0 where it is not known."""
    try:
        return sum(
            math.prod(file.shape(name)) * file.dtype(name).itemsize
            for file in (pairs.images, pairs.annotations)
        )
    except UnusableDataset:
        return 0


def _read(
    file: Samples, name: str, form: Callable[[Shape], Iterator[Problem]], found: list[Problem]
) -> tuple[Form | None, Array | None]:
    """Returns the form, and an array that has the right one and finite numbers.

    What is wrong is added to `found`.
    """
    known: Form | None = None
    try:
        dtype, shape = file.dtype(name), file.shape(name)
        known = (shape, str(dtype))
        problems = list(form(shape))
        if dtype.kind not in "biuf":
            problems.append(("type", f"expected numbers, got {dtype}"))
        # What has a wrong form may be of any size: it is not read.
        array = None if problems else file.read(name)
    except UnusableDataset as error:
        found.append((f"{file.path.name} unreadable", str(error)))
        return known, None
    if array is not None and not is_finite(array):
        problems.append(("finite", "expected finite numbers, found NaN or infinity"))
    found += _placed(file, name, problems)
    return known, None if problems else array


def _placed(file: Samples, name: str, problems: list[Problem]) -> list[Problem]:
    place = file.path.name
    return [(f"{place} {kind}", f"{place}: dataset '{name}': {what}") for kind, what in problems]


def is_finite(array: Array) -> bool:
    """Returns whether an array holds neither NaN nor infinity."""
    if array.dtype.kind != "f" or array.size == 0:
        return True
    # Extremes carry NaN and infinity along, and no array of truth values has to be made.
    return bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def _image_form(expected: Expectation | None, shape: Shape) -> Iterator[Problem]:
    if expected is None:
        if not FEWEST_AXES <= len(shape) <= MOST_AXES or 0 in shape:
            sentence = "expected an image of shape (rows, cols[, slices][, channels]), "
            yield "shape", f"{sentence}got {shape}"
    elif _with_channels(shape, len(expected.image_shape)) != expected.image_shape:
        hint = _leading_hint(shape, (expected.image_shape, expected.image_shape[:-1]))
        yield "shape", f"expected an image of shape {expected.image_shape}, got {shape}{hint}"


def _target_form(expected: Expectation | None, shape: Shape) -> Iterator[Problem]:
    if expected is None:
        return
    if expected.boxes:
        if shape != (5,) and (len(shape) != 2 or shape[1] != 5):
            sentence = "expected boxes of shape (boxes, 5), none as (0, 5)"
            yield "shape", f"{sentence}, got {shape}"
    elif not _suits(shape, expected):
        wanted = expected.target_shape or "() or (1,)"
        sentence = f"expected an annotation of shape {wanted}, got {shape}"
        yield "shape", sentence + _target_hint(shape, expected)


def _target_hint(shape: Shape, expected: Expectation) -> str:
    if expected.classes and shape == (*expected.target_shape, expected.classes):
        return "; store class numbers, not one channel per class"
    return _leading_hint(shape, (expected.target_shape, (*expected.target_shape, 1)))


def _leading_hint(shape: Shape, wanted: tuple[Shape, ...]) -> str:
    """Returns a hint where a shape has the images' axis that the manual of DLAE 1.0 prints."""
    if len(shape) > 1 and shape[1:] in wanted:
        return "; a dataset holds one sample, without an axis for their number"
    return ""


def _content(annotation: Array, expected: Expectation, space: Shape) -> Iterator[Problem]:
    if expected.boxes:
        yield from box_problems(annotation, space, expected.classes)
    elif expected.classes and annotation.size:
        yield from _label_problems(annotation, expected.classes)


def _label_problems(labels: Array, classes: int) -> Iterator[Problem]:
    if labels.dtype.kind == "f" and not (labels == np.rint(labels)).all():
        yield "integers", "expected class numbers, found fractions"
        return
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        wrong = int(low) if low < 0 else int(high)
        yield "labels", f"expected class numbers from 0 to {classes - 1}, found {wrong}"


def _suits(shape: Shape, expected: Expectation) -> bool:
    wanted = expected.target_shape
    if expected.classes:
        return shape in (wanted, (*wanted, 1))
    return shape == wanted or (len(wanted) == 1 and shape == (1, *wanted)) or (*shape, 1) == wanted


def _with_channels(shape: Shape, axes: int) -> Shape:
    return (*shape, 1) if len(shape) == axes - 1 else shape
