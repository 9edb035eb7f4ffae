"""The data of a training: files opened, checked, split, measured and prepared."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import file_sha256
from dlae_core.data.ahead import cores
from dlae_core.data.boxed_preparation import BoxedImages, BoxedPreparation
from dlae_core.data.groups import groups_of_attribute, groups_of_table
from dlae_core.data.inspection import inspect_pairs, surplus_warnings
from dlae_core.data.keeping import Memory
from dlae_core.data.measurements import Measurements
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Passes, Pipeline, Prepares, Resources
from dlae_core.data.preparation import Preparation
from dlae_core.data.report import problems_of_opening
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.data.split import Holdout, Split, check_apart, split_names
from dlae_core.data.transforms import Variation
from dlae_core.detection.encoding import Encoder
from dlae_core.errors import UnusableDataset
from dlae_core.families.heads import hooked_maps
from dlae_core.families.table import family_of
from dlae_core.graph import Network


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
    """

    training: Pipeline
    validation: Pipeline | None
    preprocessing: Preprocessing
    class_weights: NDArray[np.float64] | None
    hashes: Mapping[str, dict[str, Any]]
    split: Split


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
    with _opened(config, network) as (training, validation):
        split = _split(config, training, validation)
        hashes = _hashes(training, validation)
        measurements = Measurements(split.training, hashes, resources, cache)
        preparation = _preparation(config, network, training.images, measurements)
        passes = _passes(config)
        data = TrainingData(
            training=Pipeline(training, split.training, preparation, passes, resources),
            validation=_validation(preparation, split, validation or training, passes, resources),
            preprocessing=preparation.preprocessing,
            class_weights=_class_weights(config, preparation, training.annotations, measurements),
            hashes=hashes,
            split=split,
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
    with _opened(config, network) as (training, validation):
        _split(config, training, validation)
        opened = [training, validation] if validation else [training]
        return [warning for pairs in opened for warning in surplus_warnings(pairs)]


@contextmanager
def _opened(config: Config, network: Network) -> Iterator[tuple[PairedFiles, PairedFiles | None]]:
    """Opens and inspects the training files and, where given, the validation files."""
    paths = config.paths
    roles = [(paths.train_x, paths.train_y), (paths.validation_x, paths.validation_y)]
    expected = family_of(config).expectation(config, network)
    with ExitStack() as stack:
        opened: list[PairedFiles] = []
        problems: list[str] = []
        for images, annotations in roles:
            if not images:
                continue
            try:
                pairs = stack.enter_context(PairedFiles(Path(images), Path(annotations)))
                opened.append(pairs)
                problems += inspect_pairs(pairs, expected)
            except UnusableDataset as error:
                problems += problems_of_opening(Path(images), Path(annotations)) or error.problems
        if problems:
            raise UnusableDataset(problems)
        yield opened[0], opened[1] if len(opened) > 1 else None


def _split(config: Config, training: PairedFiles, validation: PairedFiles | None) -> Split:
    settings = config.training_configurations
    groups = _groups(config, training.images)
    if validation is not None:
        if groups is not None:
            kept = groups_of_attribute(validation.images, settings.split_group)
            check_apart(groups, kept, validation.images.path.name)
        return Split(training.names, validation.names, "validation_X")
    return split_names(
        training.names,
        Holdout(settings.validation_split, settings.folds, settings.fold),
        settings.shuffle_data_switch,
        config.augmentation.random_seed,
        groups,
    )


def _groups(config: Config, images: SampleFile) -> dict[str, str] | None:
    """Returns the group of each sample, None where samples stand alone."""
    settings = config.training_configurations
    kept = bool(settings.validation_split or settings.folds or config.paths.validation_x)
    if settings.split_group and kept:
        return groups_of_attribute(images, settings.split_group)
    if config.paths.split_groups and kept and not config.paths.validation_x:
        return groups_of_table(Path(config.paths.split_groups), images.names)
    return None


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


def _validation(
    preparation: Prepares,
    split: Split,
    pairs: PairedFiles,
    passes: Passes,
    resources: Resources,
) -> Pipeline | None:
    if not split.validation:
        return None
    return Pipeline(pairs, split.validation, preparation, Passes(passes.batch_size), resources)


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


def _hashes(training: PairedFiles, validation: PairedFiles | None) -> dict[str, dict[str, Any]]:
    files = {"train_X": training.images, "train_y": training.annotations}
    if validation is not None:
        files |= {"validation_X": validation.images, "validation_y": validation.annotations}
    return {
        role: {"sha256": file_sha256(file.path), "samples": len(file.names)}
        for role, file in files.items()
    }
