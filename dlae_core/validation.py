"""What can be known before training: does the graph build, do the data files suit it."""

from dataclasses import dataclass

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.errors import InvalidConfig, UnusableDataset, Violation
from dlae_core.families.table import FAMILIES
from dlae_core.graph import GraphSummary, Network
from dlae_core.training_data import check_training_data


@dataclass(frozen=True)
class Report:
    """All that is wrong, all that is doubtful, and the networks as they would be built."""

    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]
    graphs: tuple[GraphSummary, ...]


def checked_network(config: Config) -> Network:
    """Builds the network of a resolved and checked configuration.

    Raises:
        InvalidConfig: The layers do not fit together or do not suit the task.
    """
    family = FAMILIES[config.config_file.model_signal]
    network = family.network(config)
    violations = family.violations(config, network)
    if violations:
        raise InvalidConfig(violations)
    return network


def validate(config: Config) -> Report:
    """Checks graph and data of a resolved and checked configuration, without training."""
    keras.utils.set_random_seed(config.augmentation.random_seed)
    try:
        network = checked_network(config)
    except InvalidConfig as error:
        return Report(error.violations, (), ())
    return Report(tuple(_data_violations(config, network)), (), (network.summary(),))


def _data_violations(config: Config, network: Network) -> list[Violation]:
    try:
        check_training_data(config, network)
    except UnusableDataset as error:
        return [Violation("paths", error.reason, problem) for problem in error.problems]
    return []
