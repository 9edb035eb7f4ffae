"""Annotations to what a loss compares with the network's output."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array

TargetKind = Literal["one_hot", "sparse", "values"]
Float32 = NDArray[np.float32]


def labels(
    annotation: Array, axes: int, kind: type[np.integer[Any]] = np.int32
) -> NDArray[np.integer[Any]]:
    """Returns class numbers without the trailing axis of length 1, (*space,).

    Args:
        annotation: (*space,) or (*space, 1).
        axes: Number of spatial axes of a label map; 0 for one class per image.
        kind: Type of the result.
    """
    squeezed = annotation[..., 0] if annotation.ndim == axes + 1 else annotation
    return squeezed.astype(kind, copy=False)


def one_hot(classes_map: NDArray[np.integer[Any]], classes: int) -> Float32:
    """Returns class numbers 0..classes-1 as float32 (*space, classes), 1 at the class, else 0."""
    return np.eye(classes, dtype=np.float32).take(classes_map, axis=0)


def values(annotation: Array, shape: tuple[int, ...]) -> Float32:
    """Returns an annotation of numbers in the network's output shape, float32."""
    return annotation.astype(np.float32).reshape(shape)


def class_weights(maps: Iterable[NDArray[np.integer[Any]]], classes: int) -> NDArray[np.float64]:
    """Returns `n / (classes * n_c)` per class over all class numbers; 0 for an absent class.

    Differs: DLAE 1.0 gave an absent class an infinite weight (F2).
    """
    counts: Any = np.zeros(classes, np.int64)
    for classes_map in maps:
        counts = counts + np.bincount(classes_map.ravel(), minlength=classes)
    weights = counts.sum() / (classes * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0)
