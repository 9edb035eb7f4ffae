"""The data of a training: files opened, checked, split, measured and prepared."""

from dlae_core.training_data.opening import TrainingData, check_training_data, open_training_data

__all__ = ["TrainingData", "check_training_data", "open_training_data"]
