"""Files of a training to batches."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Augmentation, Config
from dlae_core.data.ahead import cores
from dlae_core.data.boxed_preparation import BoxedImages, BoxedPreparation
from dlae_core.data.inspection import surplus_warnings
from dlae_core.data.keeping import Memory
from dlae_core.data.measurements import Measurements
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Delivers, Passes, Pipeline, Prepares, Resources
from dlae_core.data.preparation import Preparation
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.data.spacing import Lengths, common_spacing
from dlae_core.data.split import Split
from dlae_core.data.transforms import Variation
from dlae_core.data.unpaired import UnpairedPipeline
from dlae_core.data.unpaired_files import UnannotatedFile
from dlae_core.detection.encoding import Encoder
from dlae_core.families.heads import hooked_maps
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.training_data.files import Files, hashes_of, opened, split_of


@dataclass(frozen=True)
class TrainingData:
    """What the trainer needs to know of the data.

    Attributes:
        training: Batches of training samples.
        validation: Batches of validation samples; None without validation.
        preprocessing: What prediction must do to an image as well.
        class_weights: float64 (classes,) where the loss is weighted, else None.
        hashes: Per role (`train_X`, ...) the content hash and the number of samples.
        split: Which samples are trained on and which validate.
        spacing: Length of a pixel along each axis in mm, where points are to be compared in mm and
            all images have the same.
    """

    training: Delivers
    validation: Delivers | None
    preprocessing: Preprocessing
    class_weights: NDArray[np.float64] | None
    hashes: Mapping[str, dict[str, Any]]
    split: Split
    spacing: Lengths | None = None


@contextmanager
def open_training_data(
    config: Config, network: Network, cache: Path | None = None
) -> Iterator[TrainingData]:
    """Opens and checks the data of a resolved configuration; closes them in the end.

    Args:
        config: Resolved and checked.
        network: The one that predicts; decides shapes and classes.
        cache: Folder for what is measured on the samples; None: measured every time.

    Raises:
        UnusableDataset: The files cannot be trained on; every problem is named.
    """
    resources = _resources(config)
    with opened(config, family_of(config).expectation(config, network)) as (training, validation):
        split = split_of(config, training, validation)
        hashes = hashes_of(training, validation)
        measurements = Measurements(split.training, hashes, resources, cache)
        preparation = _preparation(config, network, training.images, measurements)
        passes = _passes(config)
        deliver = partial(_deliveries, preparation, resources)
        data = TrainingData(
            training=deliver(training, _names(split, 0), passes),
            validation=deliver(validation or training, _names(split, 1), Passes(passes.batch_size))
            if split.validation
            else None,
            preprocessing=preparation.preprocessing,
            class_weights=_class_weights(config, preparation, training.annotations, measurements),
            hashes=hashes,
            split=split,
            spacing=_spacing(config, training.images),
        )
        try:
            yield data
        finally:
            # Before the files: their threads may still read.
            data.training.close()
            if data.validation is not None:
                data.validation.close()


def check_training_data(config: Config, network: Network) -> list[str]:
    """Checks the data of a resolved configuration; returns what is doubtful about them.

    Raises:
        UnusableDataset: The files cannot be trained on; every problem is named.
    """
    with opened(config, family_of(config).expectation(config, network)) as (training, validation):
        split_of(config, training, validation)
        files = [training, validation] if validation else [training]
        pairs = [one for one in files if isinstance(one, PairedFiles)]
        return [warning for one in pairs for warning in surplus_warnings(one)]


def _spacing(config: Config, images: SampleFile) -> Lengths | None:
    if not config.monitors.coordinate_error_switch:
        return None
    axes = len(family_of(config).image_shape(config)) - 1
    return common_spacing(images, images.names, axes)


def _resources(config: Config) -> Resources:
    settings = config.training_configurations
    threads = settings.data_threads if settings.HasField("data_threads") else cores()
    return Resources(threads, Memory(settings.data_memory * 1_000_000))


def _preparation(
    config: Config, network: Network, images: SampleFile, measurements: Measurements
) -> Preparation | BoxedPreparation:
    family = family_of(config)
    expected = family.expectation(config, network)
    preprocessing = Preprocessing.from_config(config, Statistics())
    if preprocessing.needs_statistics:
        statistics = measurements.statistics(images, preprocessing)
        preprocessing = Preprocessing.from_config(config, statistics)
    if expected.boxes:
        moved = BoxedImages.from_config(config.augmentation, preprocessing)
        return BoxedPreparation(moved, _encoder(config, network))
    return Preparation(
        preprocessing=preprocessing,
        expected=expected,
        target_kind=family.target_kind(config),
        variation=Variation.from_config(config.augmentation),
        annotation_type=config.preprocessing.annotation_type,
        per_pixel=family.per_pixel,
    )


def _encoder(config: Config, network: Network) -> Encoder:
    rows, columns = network.model.input_shape[1:3]
    maps = hooked_maps(network.model)
    return Encoder.of_network(config.bbd_options, (rows, columns), maps)


def _passes(config: Config) -> Passes:
    settings = config.training_configurations
    return Passes(
        batch_size=settings.batch_size,
        rounds=config.augmentation.rounds,
        shuffle=settings.shuffle_data_switch,
        seed=config.augmentation.random_seed,
        augment=True,
    )


def _names(split: Split, use: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the names of images and annotations to train on (0) or to validate with (1)."""
    names = (split.training, split.validation)[use]
    return names, split.others[use] if split.others else names


def _deliveries(
    preparation: Prepares,
    resources: Resources,
    files: Files,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    passes: Passes,
) -> Delivers:
    if isinstance(files, PairedFiles):
        return Pipeline(files, names[0], preparation, passes, resources)
    sides = zip((files.images, files.annotations), names, _each_alone(preparation), strict=True)
    images, others = (
        Pipeline(UnannotatedFile(file), own, prepare, passes, resources)
        for file, own, prepare in sides
    )
    return UnpairedPipeline(images, others, passes.seed if passes.shuffle else None, resources)


def _each_alone(preparation: Any) -> tuple[Preparation, Preparation]:
    """Returns what prepares images X, and what prepares images y as if they were images."""
    expected, preprocessing = preparation.expected, preparation.preprocessing
    alone = replace(expected, target_shape=())
    as_image = replace(
        preprocessing, images=preprocessing.annotations, switches=Augmentation(), repeat=1
    )
    other = replace(alone, image_shape=expected.target_shape)
    return (
        replace(preparation, expected=alone, per_pixel=False),
        replace(preparation, expected=other, per_pixel=False, preprocessing=as_image),
    )


def _class_weights(
    config: Config,
    preparation: Preparation | BoxedPreparation,
    annotations: SampleFile,
    measurements: Measurements,
) -> NDArray[np.float64] | None:
    if isinstance(preparation, BoxedPreparation) or not family_of(config).weighted(config):
        return None
    classes = preparation.expected.classes
    return measurements.class_weights(annotations, preparation.class_numbers, classes)
