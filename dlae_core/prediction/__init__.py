"""Prediction: a bundle applied to raw images, prepared as in training."""

from dlae_core.prediction.options import Options
from dlae_core.prediction.predictor import Predictor

__all__ = ["Options", "Predictor"]
