"""Samples as training sees them, varied at random, for people to look at."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.config.loss_kinds import ONE_HOT_LOSSES, SPARSE_LOSS
from dlae_core.data.boxed_preparation import BoxedImages
from dlae_core.data.inspection import Expectation
from dlae_core.data.normalization import Float32, Preprocessing, Statistics
from dlae_core.data.preparation import COORDINATES, Preparation
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.source import Array, PairedFiles
from dlae_core.data.targets import TargetKind
from dlae_core.data.transforms import Variation


@dataclass(frozen=True)
class View:
    """One sample, prepared.

    Attributes:
        image: float32 (*space, channels).
        labels: Class numbers, (*space,), where the annotation is a label map.
        values: float32 (*space, channels), where the annotation is a map of values.
        boxes: float32 (boxes, 5), where the annotation is boxes.
        points: float32 (points, rank), row first, in pixels, where the annotation is points.
        numbers: The annotation, where it is a class or values of the whole image.
    """

    image: Float32
    labels: NDArray[np.integer] | None = None
    values: Float32 | None = None
    boxes: Float32 | None = None
    points: Float32 | None = None
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class Row:
    """One sample without variation, and varied.

    Attributes:
        name: Its name.
        plain: As validation sees it.
        varied: As training sees it in the first pass of epochs 1, 2, 3, ...
    """

    name: str
    plain: View
    varied: tuple[View, ...]


def varies(config: Config) -> bool:
    """Returns whether a resolved configuration varies samples at random."""
    settings = config.augmentation
    if config.config_file.model_signal == "BBD":
        return settings.apply_augmentation_switch
    return Variation.from_config(settings).acts


def preview(
    config: Config, expected: Expectation, pairs: PairedFiles, names: list[str], draws: int
) -> Iterator[Row]:
    """Yields samples with their draws.

    Means and deviations of the whole set are not measured: those of the samples shown are taken.

    Args:
        config: Resolved and checked.
        expected: What its network expects of its data.
        pairs: The files, of samples that suit the network.
        names: Which samples.
        draws: How many draws of each.

    Raises:
        UnusableDataset: A sample cannot be read.
    """
    make = (_Boxed if expected.boxes else _Plain)(config, expected, _measured(config, pairs, names))
    seed = config.augmentation.random_seed
    for name in names:
        image, annotation = pairs.images.read(name), pairs.annotations.read(name)
        varied = [
            make.view(image, annotation, generator(seed, Purpose.AUGMENTATION, epoch, 0, int(name)))
            for epoch in range(draws)
        ]
        yield Row(name, make.view(image, annotation, None), tuple(varied))


def _measured(config: Config, pairs: PairedFiles, names: list[str]) -> Preprocessing:
    preprocessing = Preprocessing.from_config(config, Statistics())
    if not preprocessing.needs_statistics:
        return preprocessing
    images = (preprocessing.raw(pairs.images.read(name)) for name in names)
    return replace(preprocessing, statistics=Statistics.of(images))


class _Plain:
    """Views of samples of all families but detectors."""

    def __init__(self, config: Config, expected: Expectation, preprocessing: Preprocessing) -> None:
        self._is_map = len(expected.target_shape) > 1
        self._preparation = Preparation(
            preprocessing=preprocessing,
            expected=expected,
            target_kind=_target_kind(config),
            variation=Variation.from_config(config.augmentation),
            per_pixel=self._is_map,
            annotation_type=config.preprocessing.annotation_type,
        )

    def view(self, image: Array, annotation: Array, random: np.random.Generator | None) -> View:
        """Returns a sample as the preparation of a training makes it."""
        preparation = self._preparation
        prepared, target = preparation.sample(image, annotation, random)
        if preparation.target_kind == "values":
            return self._view_of_values(prepared, target)
        kind = preparation.target_kind
        numbers = target.argmax(axis=-1) if kind == "one_hot" else target[..., 0]
        if self._is_map:
            return View(prepared, labels=numbers)
        return View(prepared, numbers=(float(numbers),))

    def _view_of_values(self, prepared: Float32, target: Float32) -> View:
        if self._is_map:
            return View(prepared, values=target)
        if self._preparation.annotation_type == COORDINATES:
            return View(prepared, points=target.reshape(-1, prepared.ndim - 1))
        return View(prepared, numbers=tuple(map(float, target)))


class _Boxed:
    """Views of samples of detectors."""

    def __init__(self, config: Config, expected: Expectation, preprocessing: Preprocessing) -> None:
        self._images = BoxedImages.from_config(config.augmentation, preprocessing)

    def view(self, image: Array, annotation: Array, random: np.random.Generator | None) -> View:
        """Returns a sample with its boxes, moved by the chain of detectors."""
        prepared, boxes = self._images.sample(image, annotation, random)
        return View(prepared, boxes=boxes)


def _target_kind(config: Config) -> TargetKind:
    loss = config.loss_function.loss
    if loss in ONE_HOT_LOSSES:
        return "one_hot"
    return "sparse" if loss == SPARSE_LOSS else "values"
