"""Inspection: one pass over all samples that finds what cannot be trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dlae_core.data.source import Array, PairedFiles, SampleFile, first_of
from dlae_core.errors import UnusableDataset


@dataclass(frozen=True)
class Expectation:
    """What a network expects of its data.

    Attributes:
        image_shape: One image with its channel axis, (*space, channels).
        target_shape: One annotation without a trailing axis of length 1: `()` for a class number,
            `(*space,)` for a label map, else the values.
        classes: Number of classes of an annotation of class numbers; 0 where it holds values.
    """

    image_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    classes: int


def inspect_pairs(pairs: PairedFiles, expected: Expectation) -> list[str]:
    """Returns every problem as a sentence, the first twenty of each kind and how many more."""
    kinds: dict[str, list[str]] = {}
    for name in pairs.names:
        found = [
            *(_placed(pairs.images, name, _image_problems(pairs.images, name, expected))),
            *(
                _placed(
                    pairs.annotations, name, _target_problems(pairs.annotations, name, expected)
                )
            ),
        ]
        for kind, sentence in found:
            kinds.setdefault(kind, []).append(sentence)
    return [sentence for sentences in kinds.values() for sentence in first_of(sentences)]


Problems = Iterator[tuple[str, str]]


def _placed(file: SampleFile, name: str, problems: Problems) -> Problems:
    try:
        for kind, problem in problems:
            yield f"{file.path.name} {kind}", f"{file.path.name}: dataset '{name}': {problem}"
    except UnusableDataset as error:
        yield f"{file.path.name} unreadable", str(error)


def _image_problems(file: SampleFile, name: str, expected: Expectation) -> Problems:
    shape, dtype = file.shape(name), file.dtype(name)
    if _with_channels(shape, len(expected.image_shape)) != expected.image_shape:
        yield "shape", f"expected an image of shape {expected.image_shape}, got {shape}"
    yield from _value_problems(file, name, dtype)


def _target_problems(file: SampleFile, name: str, expected: Expectation) -> Problems:
    shape, dtype = file.shape(name), file.dtype(name)
    if not _suits(shape, expected):
        wanted = expected.target_shape or "() or (1,)"
        yield "shape", f"expected an annotation of shape {wanted}, got {shape}"
    problems = list(_value_problems(file, name, dtype))
    yield from problems
    if expected.classes and not problems:
        yield from _label_problems(file.read(name), expected.classes)


def _value_problems(file: SampleFile, name: str, dtype: np.dtype) -> Problems:
    if dtype.kind not in "biuf":
        yield "type", f"expected numbers, got {dtype}"
    elif not np.isfinite(file.read(name)).all():
        yield "finite", "expected finite numbers, found NaN or infinity"


def _label_problems(labels: Array, classes: int) -> Problems:
    if labels.size == 0:
        return
    if labels.dtype.kind == "f" and not (labels == np.rint(labels)).all():
        yield "integers", "expected class numbers, found fractions"
        return
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        wrong = int(low) if low < 0 else int(high)
        yield "labels", f"expected class numbers from 0 to {classes - 1}, found {wrong}"


def _suits(shape: tuple[int, ...], expected: Expectation) -> bool:
    wanted = expected.target_shape
    if expected.classes:
        return shape in (wanted, (*wanted, 1))
    return shape == wanted or (len(wanted) == 1 and shape == (1, *wanted)) or (*shape, 1) == wanted


def _with_channels(shape: tuple[int, ...], axes: int) -> tuple[int, ...]:
    return (*shape, 1) if len(shape) == axes - 1 else shape
