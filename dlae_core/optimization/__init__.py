"""Optimizers, the learning rate over time, and when to stop."""

from dlae_core.optimization.adversaries import settings_of_adversary
from dlae_core.optimization.learning_rate import LearningRate
from dlae_core.optimization.optimizers import OPTIMIZERS, build_optimizer
from dlae_core.optimization.stopping import EarlyStopping

__all__ = [
    "OPTIMIZERS",
    "EarlyStopping",
    "LearningRate",
    "build_optimizer",
    "settings_of_adversary",
]
