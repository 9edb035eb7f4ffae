"""The data of a training: files opened, checked, split, measured and prepared."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import file_sha256
from dlae_core.data.inspection import inspect_pairs
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Passes, Pipeline
from dlae_core.data.preparation import Preparation
from dlae_core.data.source import PairedFiles
from dlae_core.data.split import Split, split_names
from dlae_core.data.targets import class_weights
from dlae_core.data.transforms import Flip
from dlae_core.errors import UnusableDataset
from dlae_core.families.table import FAMILIES
from dlae_core.graph import Network
from dlae_core.losses import loss_row


@dataclass(frozen=True)
class TrainingData:
    """What the trainer needs to know of the data.

    Attributes:
        training: Batches of training samples.
        validation: Batches of validation samples; None without validation.
        preprocessing: What prediction must do to an image as well.
        class_weights: float64 (classes,) where the loss is weighted, else None.
        hashes: Per role (`train_X`, ...) the content hash and the number of samples.
    """

    training: Pipeline
    validation: Pipeline | None
    preprocessing: Preprocessing
    class_weights: NDArray[np.float64] | None
    hashes: Mapping[str, dict[str, Any]]


@contextmanager
def open_training_data(config: Config, network: Network) -> Iterator[TrainingData]:
    """Opens and checks the data of a resolved configuration; closes them in the end.

    Raises:
        UnusableDataset: The files cannot be trained on; every problem is named.
    """
    with _opened(config, network) as (training, validation):
        split = _split(config, training)
        preparation = _preparation(config, network, training, split)
        yield TrainingData(
            training=Pipeline(training, split.training, preparation, _passes(config)),
            validation=_validation(config, preparation, split, training, validation),
            preprocessing=preparation.preprocessing,
            class_weights=_class_weights(config, preparation, training, split.training),
            hashes=_hashes(training, validation),
        )


def check_training_data(config: Config, network: Network) -> None:
    """Checks the data of a resolved configuration.

    Raises:
        UnusableDataset: The files cannot be trained on; every problem is named.
    """
    with _opened(config, network) as (training, _):
        _split(config, training)


@contextmanager
def _opened(config: Config, network: Network) -> Iterator[tuple[PairedFiles, PairedFiles | None]]:
    """Opens and inspects the training files and, where given, the validation files."""
    paths = config.paths
    roles = [(paths.train_x, paths.train_y), (paths.validation_x, paths.validation_y)]
    expected = FAMILIES[config.config_file.model_signal].expectation(config, network)
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
                problems += error.problems
        if problems:
            raise UnusableDataset(problems)
        yield opened[0], opened[1] if len(opened) > 1 else None


def _split(config: Config, training: PairedFiles) -> Split:
    settings = config.training_configurations
    return split_names(
        training.names,
        settings.validation_split,
        settings.shuffle_data_switch,
        config.augmentation.random_seed,
    )


def _preparation(
    config: Config, network: Network, training: PairedFiles, split: Split
) -> Preparation:
    family = FAMILIES[config.config_file.model_signal]
    preprocessing = Preprocessing.from_config(config, Statistics())
    if preprocessing.needs_statistics:
        images = (preprocessing.repeated(training.images.read(name)) for name in split.training)
        preprocessing = Preprocessing.from_config(config, Statistics.of(images))
    return Preparation(
        preprocessing=preprocessing,
        expected=family.expectation(config, network),
        target_kind=family.target_kind(config),
        flip=Flip.from_config(config.augmentation),
        per_pixel=family.per_pixel,
    )


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
    config: Config,
    preparation: Preparation,
    split: Split,
    training: PairedFiles,
    validation: PairedFiles | None,
) -> Pipeline | None:
    passes = Passes(config.training_configurations.batch_size)
    if split.validation:
        return Pipeline(training, split.validation, preparation, passes)
    if validation is not None:
        return Pipeline(validation, validation.names, preparation, passes)
    return None


def _class_weights(
    config: Config, preparation: Preparation, training: PairedFiles, names: Sequence[str]
) -> NDArray[np.float64] | None:
    if not loss_row(config).weighted:
        return None
    maps = (preparation.class_numbers(training.annotations.read(name)) for name in names)
    return class_weights(maps, preparation.expected.classes)


def _hashes(training: PairedFiles, validation: PairedFiles | None) -> dict[str, dict[str, Any]]:
    files = {"train_X": training.images, "train_y": training.annotations}
    if validation is not None:
        files |= {"validation_X": validation.images, "validation_y": validation.annotations}
    return {
        role: {"sha256": file_sha256(file.path), "samples": len(file.names)}
        for role, file in files.items()
    }
