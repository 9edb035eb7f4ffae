"""Optimizers, the learning rate over time, and when to stop."""

from dlae_core.optimization.adversaries import Adversary, settings_of_adversary
from dlae_core.optimization.learning_rate import LearningRate
from dlae_core.optimization.optimizers import OPTIMIZERS, build_optimizer
from dlae_core.optimization.rates import Rates
from dlae_core.optimization.stopping import EarlyStopping

__all__ = [
    "OPTIMIZERS",
    "Adversary",
    "EarlyStopping",
    "LearningRate",
    "Rates",
    "build_optimizer",
    "settings_of_adversary",
]
