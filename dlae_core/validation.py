"""What can be known before training: do the graphs build, do the data files suit them."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.config import check_config
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.cost import estimate
from dlae_core.cost.machine import leave_memory_to_others
from dlae_core.errors import DlaeError, InvalidConfig, UnusableDataset, Violation
from dlae_core.families.table import family_of
from dlae_core.graph import GraphSummary, Network
from dlae_core.steps import lacking
from dlae_core.training_data import check_training_data
from dlae_core.transfer.freezing import freeze


@dataclass(frozen=True)
class Report:
    """All that is wrong, all that is doubtful, and the networks as they would be built.

    Attributes:
        violations: What keeps the configuration from being trained, what is not supported yet too.
        warnings: What is probably not meant, as far as only the built networks show it.
        graphs: The networks, also where they do not suit the task.
        memory_bytes: Estimate of what training takes.
        seconds_per_step: Estimate of the time for one batch.
    """

    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...] = ()
    graphs: tuple[GraphSummary, ...] = ()
    memory_bytes: int = 0
    seconds_per_step: float = 0.0


def checked_networks(config: Config) -> tuple[Network, ...]:
    """Builds the networks of a resolved and checked configuration; the first one predicts.

    Raises:
        InvalidConfig: The layers do not fit together or do not suit the task.
    """
    family = family_of(config)
    networks = family.networks(config)
    violations = [*family.violations(config, networks), *freeze(networks, config)]
    if violations:
        raise InvalidConfig(violations)
    return networks


def validate(config: Config) -> Report:
    """Checks graphs and data of a resolved and checked configuration, without training."""
    leave_memory_to_others()
    unsupported = check_config(config).unsupported
    try:
        networks = _networks(config)
    except InvalidConfig as error:
        return Report((*unsupported, *error.violations))
    except DlaeError as error:
        return Report((*unsupported, Violation("layers", error.reason, str(error))))
    if not networks:
        return Report(unsupported)
    family = family_of(config)
    settings = config.training_configurations
    violations = [
        *lacking(settings.hardware, settings.number_of_gpus),
        *family.violations(config, networks),
        *freeze(networks, config),
    ]
    warnings = family.warnings(config, networks)
    if not violations:
        violations, doubts = _data_findings(config, networks)
        warnings = [*warnings, *doubts]
    cost = estimate([network.model for network in networks], config)
    return Report(
        violations=(*unsupported, *violations),
        warnings=tuple(warnings),
        graphs=tuple(network.summary() for network in networks),
        memory_bytes=cost.memory_bytes,
        seconds_per_step=cost.seconds_per_step,
    )


def _networks(config: Config) -> tuple[Network, ...]:
    """Returns the networks, without values for their weights; none where there are no layers."""
    if not all(layers.layers for layers in lists_of_model(config)):
        return ()
    with keras.StatelessScope(initialize_variables=False):
        return family_of(config).networks(config)


def _data_findings(
    config: Config, networks: Sequence[Network]
) -> tuple[list[Violation], list[Violation]]:
    """Returns mistakes and warnings about the data files."""
    if not config.paths.train_x:
        return [], []
    try:
        doubts = check_training_data(config, networks[0])
    except UnusableDataset as error:
        return [Violation("paths", error.reason, problem) for problem in error.problems], []
    return [], [Violation("paths", "NOT_USED", doubt) for doubt in doubts]
