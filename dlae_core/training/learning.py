"""What is trained, and how: the networks of a family, their steps and their learning rates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.losses import FAMILY_DEFAULTS, loss_row, parameters
from dlae_core.losses.detection import ssd
from dlae_core.monitors import Monitors
from dlae_core.monitors.detections import detection_monitors
from dlae_core.optimization import Rates, build_optimizer, settings_of_adversary
from dlae_core.precision import calculate_in
from dlae_core.steps import Steps, SupervisedSteps
from dlae_core.steps.detecting import DetectingSteps
from dlae_core.training.adversaries import adversarial
from dlae_core.training.judging import Judge, judge_of
from dlae_core.training.measuring import monitors_of
from dlae_core.training_data import TrainingData


@dataclass(frozen=True)
class Learner:
    """Networks that learn.

    Attributes:
        networks: The first one predicts.
        steps: Train and evaluate them.
        monitors: Say what the steps sum up beside the loss.
        rates: Learning rates, one per optimizer of the steps.
        judge: Says what sums cannot, of validation; None where they say all.
    """

    networks: tuple[Network, ...]
    steps: Steps
    monitors: Monitors
    rates: Rates
    judge: Judge | None = None


def learner_of(config: Config, networks: Sequence[Network], data: TrainingData) -> Learner:
    """Returns the learner of a resolved and checked configuration."""
    settings = config.training_configurations
    for network in networks:
        calculate_in(network.model, settings.precision)
    family = family_of(config)
    found = [settings_of_adversary(config, side) for side in family.adversaries]
    found = found or [(config.optimizer, config.learning_rate_schedule)]
    optimizers = [build_optimizer(one, schedule.learning_rate) for one, schedule in found]
    steps, monitors = STEPS[family.name](config, networks, data, optimizers)
    schedules = [schedule for _, schedule in found]
    rates = Rates(schedules, data.training.steps, settings.epochs)
    judge = judge_of(config, networks[0], steps)
    return Learner(tuple(networks), steps, monitors, rates, judge)


def _supervised(
    config: Config, networks: Sequence[Network], data: TrainingData, optimizers: Sequence[Any]
) -> tuple[Steps, Monitors]:
    monitors = monitors_of(config, networks[0], data.spacing)
    loss = loss_row(config).build(config.loss_function, data.class_weights)
    jit_compile = config.training_configurations.jit_compile_switch
    return SupervisedSteps(networks[0].model, optimizers[0], loss, monitors, jit_compile), monitors


def _detecting(
    config: Config, networks: Sequence[Network], data: TrainingData, optimizers: Sequence[Any]
) -> tuple[Steps, Monitors]:
    negatives, localization = parameters(config.loss_function, FAMILY_DEFAULTS["ssd"])
    monitors = detection_monitors(config.monitors, negatives)
    loss = partial(ssd, negatives=negatives, localization=localization)
    jit_compile = config.training_configurations.jit_compile_switch
    return DetectingSteps(networks[0].model, optimizers[0], loss, monitors, jit_compile), monitors


# By family, how its networks learn with some optimizers, and what is summed up.
STEPS: dict[
    str,
    Callable[[Config, Sequence[Network], TrainingData, Sequence[Any]], tuple[Steps, Monitors]],
] = {
    "CNN": _supervised,
    "FCN": _supervised,
    "pix2pix": adversarial,
    "cyclegan": adversarial,
    "BBD": _detecting,
}
