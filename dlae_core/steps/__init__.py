"""The compiled training and evaluation steps. All that the trainer knows of TensorFlow is here."""

from dlae_core.steps.adversarial import AdversarialSteps, Adversaries, CycleGanSteps, Pix2PixSteps
from dlae_core.steps.compiled import MODEL, OPTIMIZER, Float64, Steps
from dlae_core.steps.device import SEVERAL, TENSORFLOW, Devices, device, devices, lacking
from dlae_core.steps.machines import Place
from dlae_core.steps.pool import ImagePool
from dlae_core.steps.supervised import SupervisedSteps

__all__ = [
    "MODEL",
    "OPTIMIZER",
    "SEVERAL",
    "TENSORFLOW",
    "AdversarialSteps",
    "Adversaries",
    "CycleGanSteps",
    "Devices",
    "Float64",
    "ImagePool",
    "Pix2PixSteps",
    "Place",
    "Steps",
    "SupervisedSteps",
    "device",
    "devices",
    "lacking",
]
